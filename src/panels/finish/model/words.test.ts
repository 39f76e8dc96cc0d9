import { expect, it } from 'vitest';

import { duration, lines, shareOf, shortDuration, shorten } from './words';
import { zoomTo } from './zoom';

it.each([
  [0.0123, '12.3 µs'],
  [0.52, '0.520 ms'],
  [4.3, '4.30 ms'],
  [99.97, '100 ms'],
  [1234.5, '1235 ms'],
  [12_345, '12.3 s'],
])('%d ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

it.each([
  [0.001, '1 µs'],
  [0.05, '0.05 ms'],
  [200, '200 ms'],
  [2000, '2 s'],
])('%d ms at an axis is %s', (ms, text) => {
  expect(shortDuration(ms)).toBe(text);
});

it('shares promise no more than was measured', () => {
  expect([0.00001, 0.5, 0.9999].map(shareOf)).toEqual(['< 0.1%', '50.0%', '> 99.9%']);
});

it('a name is cut between letters, not within an emoji', () => {
  expect(shorten('👩‍🚀👩‍🚀👩‍🚀', 2)).toBe('👩‍🚀…');
  expect(shorten('control', 7)).toBe('control');
});

it('a text is broken between words, and a word that is too long anywhere', () => {
  expect(lines('one two three', 7)).toEqual(['one two', 'three']);
  expect(lines('abcdefghij k', 4)).toEqual(['abcd', 'efgh', 'ij k']);
});

it('a dashboard is led to the time of the race, unless it shows it well already', () => {
  const race = { startedAt: 100_000, finishedAt: 200_000 } as Parameters<typeof zoomTo>[0];
  expect(zoomTo(race, 0, 10_000_000)).toEqual({ from: 97_000, to: 203_000 });
  expect(zoomTo(race, 90_000, 210_000)).toBeUndefined();
  expect(zoomTo({ ...race, finishedAt: undefined }, 0, 1)).toBeUndefined();
});
