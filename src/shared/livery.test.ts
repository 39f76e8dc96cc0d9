import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { colourOf, dashOf, neutral } from './livery';

const livery = { apps: ['slow', 'control', 'fast'], baseline: 'control' };

it('gives each app the colour of its place, and the baseline none', () => {
  expect(['slow', 'control', 'fast', 'stranger'].map((app) => colourOf(livery, app))).toEqual(['#7eb26d', neutral, '#eab839', neutral]);
  expect(dashOf(livery, 'fast')).toEqual([8, 4]);
});

it('starts anew after the last colour', () => {
  const apps = Array.from({ length: 30 }, (_, i) => `app-${i}`);
  expect(colourOf({ apps }, 'app-16')).toBe(colourOf({ apps }, 'app-0'));
});

it('has the colours of the terminal and of the report', () => {
  const go = readFileSync(join(import.meta.dirname, '../../pkg/scoreboard/livery.go'), 'utf8');
  const theirs = [...go.matchAll(/\{0x(\w\w), 0x(\w\w), 0x(\w\w)\}/g)].map(([, r, g, b]) => `#${r}${g}${b}`);
  const apps = Array.from({ length: 16 }, (_, i) => `app-${i}`);
  expect(theirs).toEqual([neutral, ...apps.map((app) => colourOf({ apps }, app))]);
});
