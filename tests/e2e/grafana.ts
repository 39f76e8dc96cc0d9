// As much of Grafana in the browser as an editor of a data source needs: who fetches, who knows the variables, who knows the data sources.
import type { DataSourceInstanceSettings, TypedVariableModel } from '@grafana/data';
import {
  type BackendSrv,
  type BackendSrvRequest,
  type DataSourceSrv,
  setBackendSrv,
  setDataSourceSrv,
  setEchoSrv,
  setTemplateSrv,
  type TemplateSrv,
} from '@grafana/runtime';
import { from } from 'rxjs';

/** Fetches as Grafana's own service does, errors with their answer's body included. */
async function fetchJSON({ url, method = 'GET', data, params, headers }: BackendSrvRequest) {
  const query = new URLSearchParams(params).toString();
  const body = data === undefined ? undefined : JSON.stringify(data);
  const typed = body === undefined ? headers : { 'Content-Type': 'application/json', ...headers };
  const response = await fetch(query ? `${url}?${query}` : url, { method, body, headers: typed });
  const answer: unknown = await response.json();
  const { ok, status, statusText, redirected, type } = response;
  if (!ok) {
    throw { status, statusText, data: answer, config: { url } };
  }
  return { data: answer, ok, status, statusText, redirected, type, url, headers: response.headers, config: { url } };
}

/** The variables of the dashboard: one app, two apps, and one that says All. */
export const variables: Record<string, string | string[]> = { app: 'slow', both: ['control', 'slow'], every: '$__all' };

// Each fake has the few methods that are called, and no more.
export function install(settings: DataSourceInstanceSettings): void {
  setBackendSrv({ fetch: (request: BackendSrvRequest) => from(fetchJSON(request)) } as unknown as BackendSrv);
  setDataSourceSrv({ getInstanceSettings: () => settings } as unknown as DataSourceSrv);
  setEchoSrv({ addEvent: () => undefined, addBackend: () => undefined, flush: () => undefined });
  setTemplateSrv({
    getVariables: () => Object.entries(variables).map(([name, value]) => ({ name, current: { value } }) as unknown as TypedVariableModel),
    replace: (text: string, _scoped: unknown, format: (value: unknown) => string) => {
      const name = /^\$\{(\w+)\}$/.exec(text)?.[1] ?? '';
      return name in variables ? format(variables[name]) : text;
    },
  } as unknown as TemplateSrv);
}

