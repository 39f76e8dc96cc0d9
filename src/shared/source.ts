import { type DataSourceInstanceSettings } from '@grafana/data';

/** How a text with variables is filled in, as Grafana's template service does it. */
export type Fill = (text: string) => string;

/**
 * The data source of a panel: the one that its option names, by its uid or a variable; without one that of the dashboard's variable
 * `datasource`; else the default one of its kind, or the first.
 */
export function sourceOf<T extends Pick<DataSourceInstanceSettings, 'uid' | 'name' | 'isDefault'>>(
  option: string,
  all: readonly T[],
  fill: Fill
): T | undefined {
  const named = (text: string) => all.find(({ uid, name }) => uid === text || name === text);
  if (option) {
    return named(fill(option));
  }
  return named(fill('${datasource}')) ?? all.find(({ isDefault }) => isDefault) ?? all[0];
}
