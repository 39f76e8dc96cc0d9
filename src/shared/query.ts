import type { DataQuery } from '@grafana/schema';

import { asList, asText } from './json';

/** What a query asks for: the query types of CONTRACT.md that the back end answers. */
export const queryTypes = ['timeseries', 'standings', 'verdict', 'distribution', 'races', 'events', 'live', 'profile'] as const;
export type QueryType = (typeof queryTypes)[number];

/** The newest finished race whose end lies in the time range; the back end resolves it, so it works in alert rules too. */
export const latest = '$latest';

export const aligns = ['absolute', 'elapsed'] as const;
export type Align = (typeof aligns)[number];

export const heatModes = ['merged', 'each'] as const;
export type Heats = (typeof heatModes)[number];

export const verdictFields = ['regressed', 'ratio', 'low', 'high', 'all'] as const;

export const standingsFields = ['trend', 'history'] as const;

/** What a flame graph shows: what one request costs or, with _diff, how that differs from the baseline. */
export const profileFields = ['cpu', 'heap', 'inuse', 'cpu_diff', 'heap_diff', 'inuse_diff'] as const;

export const eventFields = ['changes'] as const;

/** A query as dashboards, alert rules and provisioning files hold it. Empty lists of apps and measures mean all. */
export interface RaceQuery extends DataQuery {
  queryType?: QueryType;
  races?: string[];
  /** Only races of this name; narrows `$latest` and the list of races. */
  name?: string;
  apps?: string[];
  measures?: string[];
  /** The app that the others are compared with; without it the one the race names. */
  baseline?: string;
  align?: Align;
  heats?: Heats;
  /** Of verdicts one of verdictFields, of standings one of standingsFields, of events one of eventFields, of live "all", of profile one of profileFields. */
  field?: string;
}

/** The optional fields that a query type reads; the editor shows these and no others. */
export type Part = 'races' | 'name' | 'apps' | 'measures' | 'baseline' | 'align' | 'heats' | 'field' | 'shown';

const parts: Record<QueryType, readonly Part[]> = {
  timeseries: ['races', 'name', 'apps', 'measures', 'align', 'heats'],
  standings: ['races', 'name', 'apps', 'measures', 'baseline', 'shown'],
  verdict: ['races', 'name', 'apps', 'measures', 'baseline', 'field'],
  distribution: ['races', 'name', 'apps', 'baseline'],
  races: ['name'],
  events: ['races', 'name', 'baseline', 'shown'],
  live: ['races', 'name'],
  profile: ['races', 'name', 'apps', 'baseline', 'field'],
};

/** The events of a history are about measures, and need no baseline. */
const partsOfChanges: readonly Part[] = ['races', 'name', 'measures', 'shown'];

/**
 * Says which parts of a query matter. A name narrows only what is looked for: `$latest`, and the races of a list without ids.
 */
export function partsOf(query: RaceQuery): readonly Part[] {
  const { queryType, races = [] } = query;
  const known = queryTypes.find((type) => type === queryType);
  if (!known) {
    return [];
  }
  const looksFor = known === 'races' || races.length === 0 || races.includes(latest);
  const read = known === 'events' && query.field === 'changes' ? partsOfChanges : parts[known];
  const alone = known === 'profile' && !query.field?.endsWith('_diff');
  return read.filter((part) => (part !== 'name' || looksFor) && (part !== 'baseline' || !alone));
}

/**
 * A query as the editor can show it, whatever a dashboard's JSON or a provisioning file holds: one text counts as a list of one, what
 * is no text counts as missing. Keys that are not ours stay, and so does a query type that is not known: the back end's error names it.
 */
export function readQuery(query: RaceQuery): RaceQuery {
  const read = { ...query };
  for (const part of ['races', 'apps', 'measures'] as const) {
    if (part in query) {
      const value: unknown = query[part];
      read[part] = (typeof value === 'string' ? [value] : asList(value)).map(asText).filter((one) => one !== '');
    }
  }
  for (const part of ['queryType', 'name', 'baseline', 'align', 'heats', 'field'] as const) {
    if (part in query && typeof query[part] !== 'string') {
      delete read[part];
    }
  }
  return read;
}

/** A query in one line, for a list of queries that are folded together. */
export function summary(query: RaceQuery): string {
  const { queryType = '', races = [], apps = [], measures = [], baseline, field } = readQuery(query);
  const asked = partsOf(query);
  const told = [
    field && asked.includes('field') ? `${queryType} (${field})` : queryType,
    asked.includes('measures') && (measures.join(', ') || 'all measures'),
    asked.includes('races') && (races.join(', ') || 'every race'),
    asked.includes('apps') && apps.join(', '),
    baseline && asked.includes('baseline') && `baseline ${baseline}`,
  ];
  return told.filter(Boolean).join(' · ');
}

/** A new query: the p95 latency of each app, one line per app, of the newest race. */
export const newQuery: Partial<RaceQuery> = {
  queryType: 'timeseries',
  races: [latest],
  apps: [],
  measures: ['latency_p95'],
  align: 'absolute',
  heats: 'merged',
};

/** A new query of an alert rule: 1 for each app and primary measure that regressed in the newest race. */
export const newAlertQuery: Partial<RaceQuery> = {
  queryType: 'verdict',
  races: [latest],
  apps: [],
  measures: ['latency_p95', 'error_rate', 'cpu_ms_per_request'],
  field: 'regressed',
};

/** A new annotation: what happened in the races of the dashboard's time range. */
export const newAnnotationQuery: Partial<RaceQuery> = { queryType: 'events', races: [] };

/** Changes the type and drops a field that the new type does not know: the back end would refuse the query. */
export function changeType(query: RaceQuery, queryType: QueryType): RaceQuery {
  const { field: _dropped, ...rest } = query;
  return { ...rest, queryType };
}

/** Says whether Grafana should run a query at all: one without a type is still being written. */
export function isComplete(query: RaceQuery): boolean {
  return Boolean(query.queryType) && !query.hide;
}
