import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { lengthOf } from '../../shared/words';
import { readDefinition } from './definition';
import { about, bytesOf, limitWords, planWords, waitWords } from './words';

const said: Array<{ plan: unknown; words: string }> = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../runner/plan/testdata/words.json'), 'utf8')
);

describe('a plan in words', () => {
  it.each(said)('is what the terminal says: $words', ({ plan, words }) => {
    expect(planWords(readDefinition(plan))).toBe(words);
  });
});

it('lengths are written as people do', () => {
  expect([500, 1000, 1500, 59_999, 60_000, 160_000, 3_600_000, 3_900_000].map(lengthOf)).toEqual([
    '500 ms',
    '1 s',
    '1.5 s',
    '60 s',
    '1 min',
    '2 min 40 s',
    '1 h',
    '1 h 5 min',
  ]);
});

it('an estimate promises no more than it can', () => {
  expect([1400, 61_000, 157_000, 3_650_000].map(about)).toEqual(['about 1 s', 'about 1 min', 'about 2 min 35 s', 'about 1 h 1 min']);
});

it('a race that waits says for how many, and how long', () => {
  expect(waitWords(0, 0)).toBe('');
  expect(waitWords(1, 12_000)).toBe('It starts after the race before it, in about 12 s.');
  expect(waitWords(3, 600_000)).toBe('It starts after the 3 races before it, in about 10 min.');
});

it('limits are told in their units', () => {
  const lane = { app: 'a', from: 'a', started: true };
  expect(limitWords({ ...lane, cpus: 0.5, memory: 134_217_728 })).toBe('0.5 CPU, 128 MiB');
  expect(limitWords({ ...lane, cpus: 2, cpuset: '0-1' })).toBe('2 CPUs, on CPU 0-1');
  expect(limitWords(lane)).toBe('no limits');
  expect(limitWords({ ...lane, started: false })).toBe('runs already');
  expect([0, 1000, 1536, 1.5 * 1024 ** 3].map(bytesOf)).toEqual(['0 B', '1000 B', '1.5 KiB', '1.5 GiB']);
});
