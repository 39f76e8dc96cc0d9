import { type PluginInclude, PluginIncludeType } from '@grafana/data';

import { asList, asRecord, asText } from '../shared/json';

/** A dashboard that is there, as Grafana's search finds it. */
export interface Found {
  title: string;
  url: string;
}

export function readFound(answer: unknown): Found[] {
  return asList(answer)
    .map(asRecord)
    .map(({ title, url }) => ({ title: asText(title), url: asText(url) }));
}

/** A dashboard that the app brings; without an address it is not imported, or the user may not see it. */
export interface Dashboard {
  name: string;
  href?: string;
}

/** The dashboards that the app brings, from its own plugin.json, where they are to be found. */
export function dashboardsOf(includes: readonly PluginInclude[] = [], found: readonly Found[]): Dashboard[] {
  return includes
    .filter(({ type }) => type === PluginIncludeType.dashboard)
    .map(({ name }) => ({ name, href: found.find(({ title }) => title === name)?.url }));
}

/** Where a race is shown: the dashboard of that name, turned to the race. */
export function raceHref(
  dashboards: readonly Dashboard[],
  race: { id: string; startedAt?: number; finishedAt?: number }
): string | undefined {
  const href = dashboards.find(({ name }) => /: race$/i.test(name))?.href;
  if (!href) {
    return undefined;
  }
  const params = new URLSearchParams({ 'var-race': race.id });
  if (race.startedAt !== undefined) {
    params.set('from', String(race.startedAt - 5000));
    params.set('to', race.finishedAt === undefined ? 'now' : String(race.finishedAt + 5000));
  }
  return `${href}?${params}`;
}
