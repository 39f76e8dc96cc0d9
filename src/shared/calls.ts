import { getBackendSrv } from '@grafana/runtime';
import { lastValueFrom } from 'rxjs';

/** The resource calls of a data source, by CONTRACT.md. What fails is thrown as Grafana's fetch throws it; nothing pops up in the page's corner. */
export interface Calls {
  get(path: string): Promise<unknown>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<unknown>;
}

export function callsOf(uid: string): Calls {
  const fetch = async (method: string, path: string, data?: unknown, headers?: Record<string, string>) => {
    const url = `/api/datasources/uid/${encodeURIComponent(uid)}/resources/${path}`;
    const answer = await lastValueFrom(getBackendSrv().fetch<unknown>({ url, method, data, headers, showErrorAlert: false }));
    return answer.data;
  };
  return {
    get: (path) => fetch('GET', path),
    post: (path, body = {}, headers) => fetch('POST', path, body, headers),
  };
}

/** The name of a script as part of an address: its slashes stay. */
export function scriptPath(name: string): string {
  return `scripts/${name.split('/').map(encodeURIComponent).join('/')}`;
}
