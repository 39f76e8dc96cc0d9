import { expect, it } from 'vitest';

import { made, only } from '../testdata/frames';
import { readFinishes } from './finish';
import { conditionsOf, heatsWords } from './thresholds';

const failed = { condition: 'http_req_failed: rate<0.01', heats: 8, crossed: [] };
const slow = { condition: 'http_req_duration: p(95)<10', heats: 8 };
const thresholds = [
  { lane: '', condition: 'vus: value<5', heats: 8, crossed: [] },
  { lane: 'a', ...failed },
  { lane: 'a', ...slow, crossed: [] },
  { lane: 'b', ...failed },
  { lane: 'b', ...slow, crossed: [2, 3] },
];

it('thresholds come with a race, the crossed ones first, and tell who crossed them', () => {
  const finish = only(readFinishes(made(['a', 'b'], { custom: { thresholds } })));
  expect(conditionsOf(finish.thresholds)).toEqual([
    { text: slow.condition, crossed: [{ lane: 'b', ...slow, crossed: [2, 3] }], lanes: 2 },
    { text: 'vus: value<5', crossed: [], lanes: 1 },
    { text: failed.condition, crossed: [], lanes: 2 },
  ]);
});

it('heats are told in words', () => {
  const said = (heats: number, crossed: number[]) => heatsWords({ lane: 'a', condition: '', heats, crossed });
  expect(said(8, [2, 3])).toBe('in 2 of 8 heats (2, 3)');
  expect(said(3, [1, 2, 3])).toBe('in all 3 heats');
  expect(said(1, [1])).toBe('in heat 1');
});

it('a race that nobody recorded has none, and what cannot be read is none', () => {
  expect(only(readFinishes(made(['a', 'b']))).thresholds).toEqual([]);
  expect(only(readFinishes(made(['a', 'b'], { custom: { thresholds: 'none' } }))).thresholds).toEqual([]);
});
