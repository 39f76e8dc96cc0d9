import { dateTimeFormat, type TimeRange } from '@grafana/data';
import type { ComboboxOption } from '@grafana/ui';

import { measureOption } from '../shared/measures';
import { latest, type QueryType, type RaceQuery } from '../shared/query';
import { raceOption, spanOf } from '../shared/races';
import type { DataSource } from './DataSource';

/** $latest, as a query of a type resolves it. */
export function latestOption(queryType?: QueryType): ComboboxOption & { label: string } {
  return queryType === 'live'
    ? {
        value: latest,
        label: 'Running or newest',
        description: 'The race that runs now, else the newest of the time range, whatever became of it',
      }
    : {
        value: latest,
        label: 'Newest finished',
        description: 'The newest finished race whose end lies in the time range; works in alert rules too',
      };
}

/** The dashboard's variables, which every list offers. */
export function variableOptions(datasource: DataSource): ComboboxOption[] {
  return datasource.variableNames().map((written) => ({ value: written, label: written, description: 'Dashboard variable' }));
}

export async function raceOptions(datasource: DataSource, range: TimeRange, queryType?: QueryType): Promise<ComboboxOption[]> {
  const races = await datasource.races(range);
  return [latestOption(queryType), ...variableOptions(datasource), ...races.map((race) => raceOption(race, (ms) => dateTimeFormat(ms)))];
}

/** The apps of the races that the query asks for; of every race in the list where it names none. */
export async function appOptions(datasource: DataSource, query: RaceQuery, range: TimeRange): Promise<ComboboxOption[]> {
  const { races = [], name } = datasource.applyTemplateVariables(query);
  const apps = await datasource.appsOf(races, await datasource.races(range), name, spanOf(range));
  return [...variableOptions(datasource), ...apps.map((app) => ({ value: app, label: app }))];
}

/** The measures, with those that the races which the query asks for have of their own. A list that cannot be had takes away no more than these. */
export async function measureOptions(datasource: DataSource, query: RaceQuery, range: TimeRange): Promise<ComboboxOption[]> {
  const { races = [], name } = datasource.applyTemplateVariables(query);
  const measures = await datasource.measuresOf(races, await datasource.races(range).catch(() => []), name, spanOf(range));
  return [...variableOptions(datasource), ...measures.map(measureOption)];
}

/**
 * The options that hold what was typed, in their value, label or explanation, and behind them what was typed itself. Grafana's own custom value
 * stands before them, so that whoever chooses the first choice gets it in place of the one that was found.
 */
export function matching(options: ComboboxOption[], typed: string): ComboboxOption[] {
  const custom = typed.trim();
  const wanted = custom.toLowerCase();
  const found = options.filter(({ value, label = '', description = '' }) =>
    `${value} ${label} ${description}`.toLowerCase().includes(wanted)
  );
  const known = custom === '' || found.some(({ value }) => value === custom);
  return known ? found : [...found, { value: custom, label: custom, description: 'As it is typed' }];
}
