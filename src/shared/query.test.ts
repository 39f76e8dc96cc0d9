import { describe, expect, it } from 'vitest';

import {
  changeType,
  isComplete,
  latest,
  newAlertQuery,
  newAnnotationQuery,
  newQuery,
  partsOf,
  type RaceQuery,
  readQuery,
  summary,
} from './query';

describe('the parts of a query', () => {
  it.each<[string, Partial<RaceQuery>, string[]]>([
    ['are none while it has no type', {}, []],
    ['are none of a type that is not known', { queryType: 'nonsense' as never }, []],
    ['of a time series hold no baseline', newQuery, ['races', 'name', 'apps', 'measures', 'align', 'heats']],
    ['of explicit races hold no name', { queryType: 'distribution', races: ['r1'] }, ['races', 'apps', 'baseline']],
    ['of no races hold the name', { queryType: 'distribution', races: [] }, ['races', 'name', 'apps', 'baseline']],
    ['of the newest among others hold the name', { queryType: 'events', races: ['r1', latest] }, ['races', 'name', 'baseline', 'shown']],
    ['of the changes of a history hold measures', { queryType: 'events', field: 'changes' }, ['races', 'name', 'measures', 'shown']],
    ['of a list of races are the name alone', { queryType: 'races', races: ['r1'] }, ['name']],
    ['of an alert rule hold its field', newAlertQuery, ['races', 'name', 'apps', 'measures', 'baseline', 'field']],
    ['of a profile hold what it counts', { queryType: 'profile', races: ['r1'], field: 'heap' }, ['races', 'apps', 'field']],
    [
      'of a difference of profiles hold the baseline',
      { queryType: 'profile', races: ['r1'], field: 'cpu_diff' },
      ['races', 'apps', 'baseline', 'field'],
    ],
  ])('%s', (_name, query, want) => {
    expect(partsOf({ refId: 'A', ...query })).toEqual(want);
  });
});

it('another type drops the field and keeps the rest', () => {
  const verdict: RaceQuery = { refId: 'A', ...newAlertQuery, baseline: 'old' };
  const { field: _field, ...rest } = verdict;
  expect(changeType(verdict, 'standings')).toEqual({ ...rest, queryType: 'standings' });
});

it('of what goes on live races and their name matter', () => {
  expect(partsOf(changeType({ refId: 'A', ...newAlertQuery }, 'live'))).toEqual(['races', 'name']);
});

it.each<[string, Partial<RaceQuery>, boolean]>([
  ['a new query runs', newQuery, true],
  ['an annotation runs without races', newAnnotationQuery, true],
  ['a query without a type does not run', {}, false],
  ['a hidden query does not run', { ...newQuery, hide: true }, false],
])('%s', (_name, query, want) => {
  expect(isComplete({ refId: 'A', ...query })).toBe(want);
});

describe('a query from a file', () => {
  const read = (query: Record<string, unknown>) => readQuery({ refId: 'A', ...query });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['without any key stays without', {}, {}],
    ['may give one text for a list', { races: 'ab2', apps: '' }, { races: ['ab2'], apps: [] }],
    ['loses what is no text', { races: [1, 'ab2', null], measures: 5, name: 7, field: {} }, { races: ['ab2'], measures: [] }],
    ['keeps keys that are not ours', { hide: true, queryType: 'nonsense', later: 1 }, { hide: true, queryType: 'nonsense', later: 1 }],
  ])('%s', (_name, query, want) => {
    expect(read(query)).toEqual({ refId: 'A', ...want });
  });
});

it.each<[string, Partial<RaceQuery>]>([
  ['timeseries · latency_p95 · $latest', newQuery],
  ['verdict (regressed) · latency_p95, error_rate, cpu_ms_per_request · $latest', newAlertQuery],
  ['events · every race', newAnnotationQuery],
  [
    'standings · all measures · ab2 · slow · baseline control',
    { queryType: 'standings', races: ['ab2'], apps: ['slow'], baseline: 'control' },
  ],
  ['profile (cpu_diff) · r1 · baseline old', { queryType: 'profile', races: ['r1'], field: 'cpu_diff', baseline: 'old' }],
  ['nonsense', { queryType: 'nonsense' as never }],
])('in one line: %s', (want, query) => {
  expect(summary({ refId: 'A', ...query })).toBe(want);
});
