import type { DataQuery } from '@grafana/schema';

import { asRecord, asText } from './json';
import { latest } from './query';

export const variableKinds = ['races', 'names', 'apps', 'baselines', 'measures'] as const;
export type VariableKind = (typeof variableKinds)[number];

/**
 * The query of a dashboard variable: its values are race ids, names of races, apps of one race, the same apps with the recorded baseline first,
 * or the measures of the contract and those that the race has of its own.
 */
export interface VariableQuery extends DataQuery {
  kind?: VariableKind;
  /** Of `apps`, `baselines` and `measures`: the race, `$latest` or a variable; of `races`: nothing. */
  race?: string;
  /** Only races of this name. */
  name?: string;
}

export const newVariableQuery = { kind: 'races', race: latest, name: '' } as const satisfies Partial<VariableQuery>;

/** A variable's query whatever a dashboard's JSON holds: what is missing or of another form is as in a new one. */
export function readVariableQuery(query: unknown) {
  const { refId, kind, race, name } = asRecord(query);
  return {
    refId: asText(refId) || 'variable',
    kind: variableKinds.find((one) => one === kind) ?? newVariableQuery.kind,
    race: asText(race) || newVariableQuery.race,
    name: asText(name),
  } satisfies VariableQuery;
}
