import type { DataSourceJsonData } from '@grafana/data';

/** The data source's settings by CONTRACT.md. Authentication, TLS and headers are Grafana's own fields beside these. */
export interface RaceSettings extends DataSourceJsonData {
  runnerUrl?: string;
  /** Label names of cAdvisor's series that may name the app; for each app the first that fits is used. Empty: the defaults. */
  appLabels?: string[];
  /** From the value of the k6 tag `app` to the value of the container's label, where they differ. */
  appMap?: Record<string, string>;
  /** Seconds. */
  timeout?: number | string;
  httpMethod?: 'GET' | 'POST';
}

export interface RaceSecrets {
  runnerToken?: string;
}

/** What the back end uses without appLabels: our own label, compose service, Kubernetes container and pod, container name. */
export const defaultAppLabels = [
  'container_label_photofinish_app',
  'container_label_com_docker_compose_service',
  'container',
  'pod',
  'name',
] as const;

/** Moves an element of a list by one place; at the list's ends nothing changes. */
export function moved<T>(list: readonly T[], from: number, by: 1 | -1): T[] {
  const copy = [...list];
  const to = from + by;
  if (from < 0 || from >= copy.length || to < 0 || to >= copy.length) {
    return copy;
  }
  copy.splice(to, 0, ...copy.splice(from, 1));
  return copy;
}

/** One row of the editor of appMap. Rows may be half written; the map holds whole ones only. */
export interface MapRow {
  app: string;
  container: string;
}

export function mapRows(map: Record<string, string> = {}): MapRow[] {
  return Object.entries(map).map(([app, container]) => ({ app, container }));
}

/** The map that rows make; of two rows for one app the later counts. Nothing at all is undefined. */
export function rowsMap(rows: readonly MapRow[]): Record<string, string> | undefined {
  const whole = rows.map((row) => [row.app.trim(), row.container.trim()] as const).filter(([app, container]) => app && container);
  return whole.length > 0 ? Object.fromEntries(whole) : undefined;
}
