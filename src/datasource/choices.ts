import { dateTimeFormat, type TimeRange } from '@grafana/data';
import type { ComboboxOption } from '@grafana/ui';

import { measureOption } from '../shared/measures';
import { latest, type RaceQuery } from '../shared/query';
import { raceOption, spanOf } from '../shared/races';
import type { DataSource } from './DataSource';

export const latestOption: ComboboxOption = {
  value: latest,
  label: 'Newest finished',
  description: 'The newest finished race whose end lies in the time range; works in alert rules too',
};

/** The dashboard's variables, which every list offers. */
export function variableOptions(datasource: DataSource): ComboboxOption[] {
  return datasource.variableNames().map((written) => ({ value: written, label: written, description: 'Dashboard variable' }));
}

export async function raceOptions(datasource: DataSource, range: TimeRange): Promise<ComboboxOption[]> {
  const races = await datasource.races(range);
  return [latestOption, ...variableOptions(datasource), ...races.map((race) => raceOption(race, (ms) => dateTimeFormat(ms)))];
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

/** The options that hold what was typed, in their value, label or explanation. */
export function matching(options: ComboboxOption[], typed: string): ComboboxOption[] {
  const wanted = typed.trim().toLowerCase();
  return options.filter(({ value, label = '', description = '' }) => `${value} ${label} ${description}`.toLowerCase().includes(wanted));
}
