import { FieldType, toDataFrame } from '@grafana/data';
import { describe, expect, it } from 'vitest';

import { mergeRaces, newestFinished, overlaps, raceOption, racesOfFrame, racesOfPage, type RaceInfo } from './races';

const race = (id: string, parts: Partial<RaceInfo> = {}): RaceInfo => ({ id, name: '', status: 'finished', apps: [], ...parts });

describe('the frame of races', () => {
  it('is read by the names of its columns', () => {
    const frame = toDataFrame({
      fields: [
        { name: 'apps', type: FieldType.string, values: ['control, high-latency', ''] },
        { name: 'id', type: FieldType.string, values: ['ab2', 'ab3'] },
        { name: 'started_at', type: FieldType.time, values: [1000, null] },
        { name: 'finished_at', type: FieldType.time, values: [2000, null] },
        { name: 'status', type: FieldType.string, values: ['finished', 'queued'] },
      ],
    });
    expect(racesOfFrame(frame)).toEqual([
      { id: 'ab2', name: '', status: 'finished', startedAt: 1000, finishedAt: 2000, apps: ['control', 'high-latency'] },
      { id: 'ab3', name: '', status: 'queued', startedAt: undefined, finishedAt: undefined, apps: [] },
    ]);
  });

  it('may be missing', () => {
    expect(racesOfFrame(undefined)).toEqual([]);
  });
});

describe("a page of the runner's races", () => {
  it('is read', () => {
    const page = {
      races: [
        {
          id: 'ab2',
          name: 'nightly',
          status: 'racing',
          started_at: '1970-01-01T00:00:01Z',
          finished_at: null,
          lanes: [{ app: 'control' }],
        },
      ],
      next: '',
    };
    expect(racesOfPage(page)).toEqual([
      { id: 'ab2', name: 'nightly', status: 'racing', startedAt: 1000, finishedAt: undefined, apps: ['control'] },
    ]);
  });

  it.each([[undefined], ['<html>'], [{ races: 'none' }], [{ races: [null, 7, { name: 'no id' }] }]])(
    'of another form holds none: %j',
    (page) => {
      expect(racesOfPage(page)).toEqual([]);
    }
  );
});

describe('merged lists', () => {
  it('have the newest first, and before them what has not started', () => {
    const merged = mergeRaces(
      [race('taken out of the queue', { status: 'cancelled' }), race('old', { startedAt: 1 }), race('new', { startedAt: 3 })],
      [
        race('mid', { startedAt: 2 }),
        race('queued', { status: 'queued' }),
        race('failed before its start', { status: 'failed', finishedAt: 1.5 }),
      ]
    );
    expect(merged.map((r) => r.id)).toEqual(['queued', 'new', 'mid', 'failed before its start', 'old', 'taken out of the queue']);
  });

  it('tell a race as the first list does', () => {
    expect(mergeRaces([race('a', { name: 'runner' })], [race('a', { name: 'Prometheus' })])).toEqual([race('a', { name: 'runner' })]);
  });
});

it('the newest finished race is the one that ended last, of the name if one is given', () => {
  const races = [
    race('racing', { status: 'racing', finishedAt: 9 }),
    race('second', { finishedAt: 3 }),
    race('newest', { finishedAt: 4 }),
    race('other', { finishedAt: 2, name: 'nightly' }),
  ];
  expect(newestFinished(races)?.id).toBe('newest');
  expect(newestFinished(races, 'nightly')?.id).toBe('other');
  expect(newestFinished(races, 'weekly')).toBeUndefined();
});

it('the newest finished race is one that ended within the time range', () => {
  const races = [race('today', { finishedAt: 200 }), race('yesterday', { finishedAt: 90 })];
  expect(newestFinished(races, '', { from: 0, to: 100 })?.id).toBe('yesterday');
  expect(newestFinished(races, '', { from: 100, to: 200 })?.id).toBe('today');
  expect(newestFinished(races, '', { from: 100, to: 150 })).toBeUndefined();
});

it('a race has something to show of the time from its start to its end, and of all after the start while it goes on', () => {
  const shown = (started: number | undefined, finished: number | undefined) =>
    overlaps(race('r', { startedAt: started, finishedAt: finished }), { from: 10, to: 20 });
  expect([shown(1, 9), shown(1, 10), shown(12, 15), shown(20, 30), shown(21, 30)]).toEqual([false, true, true, true, false]);
  expect([shown(1, undefined), shown(21, undefined), shown(undefined, undefined)]).toEqual([true, false, false]);
});

it('an option names the race and says when, how and who', () => {
  const option = raceOption(race('ab2', { name: 'nightly', startedAt: 5, apps: ['a', 'b'] }), (ms) => `at ${ms}`);
  expect(option).toEqual({ value: 'ab2', label: 'nightly (ab2)', description: 'at 5 · finished · a, b' });
  expect(raceOption(race('nightly-20261125-072508-2e6e', { name: 'nightly' }), String).label).toBe('nightly');
});
