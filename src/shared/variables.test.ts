import { describe, expect, it } from 'vitest';

import { expandList, expandQuery, expandText, type Lookup, type Value } from './variables';
import type { RaceQuery } from './query';

const variables: Record<string, Value> = {
  app: ['control'],
  apps: ['control', 'high-latency'],
  every: 'all',
  nothing: [],
  blank: [''],
  latest: ['hijacked'],
  'app.text': ['Control'],
};
const lookup: Lookup = (reference) => variables[reference.replace(/^\$\{(.*)\}$/, '$1')];

describe('a list with template variables', () => {
  it.each<[string, string[], string[]]>([
    ['keeps plain values', ['a', 'b'], ['a', 'b']],
    ['expands one value', ['$app'], ['control']],
    ['expands several values in their order', ['$apps'], ['control', 'high-latency']],
    ['knows the braces', ['${apps}'], ['control', 'high-latency']],
    ['knows the old brackets', ['[[apps]]'], ['control', 'high-latency']],
    ['takes the values whatever format is asked for', ['${apps:csv}', '[[app:regex]]'], ['control', 'high-latency']],
    ['knows a field of a variable', ['${app.text}'], ['Control']],
    ['looks through spaces', [' $app '], ['control']],
    ['drops duplicates', ['high-latency', '$apps', '$app'], ['high-latency', 'control']],
    ['is empty where one variable is All', ['a', '$every'], []],
    ['leaves an unknown variable for the back end to name', ['$nope'], ['$nope']],
    ['leaves a variable within a longer text', ['pre-$app', '$app$app'], ['pre-$app', '$app$app']],
    ['does not take a variable without a value for All', ['$nothing', '${blank}'], ['$nothing', '${blank}']],
    ['keeps $latest, even where a variable has that name', ['$latest'], ['$latest']],
  ])('%s', (_name, list, want) => {
    expect(expandList(list, lookup)).toEqual(want);
  });
});

describe('a text with template variables', () => {
  it.each([
    ['replaces one value within a text', 'checkout $app', 'checkout control'],
    ['leaves several values', '$apps', '$apps'],
    ['leaves All', 'x ${every}', 'x ${every}'],
    ['is empty where it is one variable that says All', '$every', ''],
    ['leaves the unknown', '$nope', '$nope'],
    ['does not replace what a value brings along', '$app costs $5', 'control costs $5'],
  ])('%s', (_name, text, want) => {
    expect(expandText(text, lookup)).toBe(want);
  });
});

it('a query is expanded in every part and not changed itself', () => {
  const query = { refId: 'A', races: ['$latest'], apps: ['$every'], measures: ['$app'], baseline: '$app', name: '$app', field: '$app' };
  const before = structuredClone(query);
  expect(expandQuery(query, lookup)).toEqual({
    refId: 'A',
    races: ['$latest'],
    apps: [],
    measures: ['control'],
    baseline: 'control',
    name: 'control',
    field: 'control',
  });
  expect(query).toEqual(before);
});

it('what a query does not say stays unsaid', () => {
  expect(expandQuery({ refId: 'A' }, lookup)).toEqual({ refId: 'A' });
});

it('what is of the wrong form stays as it is, for the back end to name', () => {
  const query = { refId: 'A', races: '$app', apps: [7, '$app'], name: 5 } as unknown as RaceQuery;
  expect(expandQuery(query, lookup)).toEqual({ refId: 'A', races: '$app', apps: [7, 'control'], name: 5 });
});
