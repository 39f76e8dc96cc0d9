import { FieldType, toDataFrame } from '@grafana/data';
import { describe, expect, it } from 'vitest';

import { endedFrame, historyFrame, streamed } from '../testdata/frames';
import { isHistory, readHistory } from './history';
import { LiveRace, raceOf } from './live';
import { withPast } from './merge';

const series = (app: string, measure: string, values: Array<number | null>, labels = {}) => ({
  name: measure,
  type: FieldType.number,
  labels: { app, measure, ...labels },
  values,
});
const elapsed = (values: number[]) => ({ name: 'elapsed', type: FieldType.number, values });

describe('what Prometheus remembers of the recorded race', () => {
  it('adds up to about what was counted live; the edges of heats are missing in rates', () => {
    const live = new LiveRace(raceOf(streamed()));
    live.take(streamed());
    const [past] = readHistory(historyFrame());
    expect(past?.id).toBe(live.id);
    expect(past?.heatStarts).toHaveLength(2);
    for (const { app, moments } of live.current().lanes) {
      const counted = moments[moments.length - 1]?.requests ?? 0;
      const added = past?.lanes.find((lane) => lane.app === app)?.moments.at(-1)?.requests ?? 0;
      expect(added / counted).toBeGreaterThan(0.6);
      expect(added / counted).toBeLessThan(1.1);
    }
  });

  it('has figures of every kind', () => {
    const moments = readHistory(historyFrame())[0]?.lanes[0]?.moments ?? [];
    for (const figure of ['rate', 'p50', 'p95', 'errors', 'cpu', 'memory'] as const) {
      expect(
        moments.some((moment) => moment[figure] !== undefined),
        figure
      ).toBe(true);
    }
  });
});

it('several races are told apart by their label, in the order of the query', () => {
  const frame = toDataFrame({
    fields: [
      elapsed([1, 2]),
      series('a', 'request_rate', [5, 5], { race: 'new' }),
      series('a', 'request_rate', [3, null], { race: 'old' }),
    ],
  });
  frame.meta = {
    custom: {
      races: [
        { id: 'new', heats: [[0, 2]] },
        { id: 'old', heats: [] },
      ],
    },
  };
  const races = readHistory(frame);
  expect(races.map(({ id }) => id)).toEqual(['new', 'old']);
  expect(races[0]?.lanes[0]?.moments.map(({ requests }) => requests)).toEqual([5, 10]);
  expect(races[1]?.lanes[0]?.moments.map(({ at, requests }) => [at, requests])).toEqual([[1, 3]]); // it is shorter
});

it('a step without a rate adds nothing, and an axis that begins late does not count what was before', () => {
  const frame = toDataFrame({ fields: [elapsed([2, 4, 6]), series('a', 'request_rate', [10, null, 10])] });
  expect(readHistory(frame)[0]?.lanes[0]?.moments.map(({ requests }) => requests)).toEqual([20, 20, 40]);
});

it('a figure stands for three seconds, and then it is missing', () => {
  const frame = toDataFrame({
    fields: [
      elapsed([1, 2, 3, 4, 5]),
      series('a', 'request_rate', [1, 1, 1, 1, 1]),
      series('a', 'cpu_cores', [0.5, null, null, null, null]),
    ],
  });
  expect(readHistory(frame)[0]?.lanes[0]?.moments.map(({ cpu }) => cpu)).toEqual([0.5, 0.5, 0.5, 0.5, undefined]);
});

it('knows its frames from others', () => {
  expect(isHistory(historyFrame())).toBe(true);
  expect(isHistory(endedFrame())).toBe(false);
  expect(isHistory(toDataFrame({ fields: [elapsed([1]), series('a', 'latency_p95', [1])] }))).toBe(false);
});

describe('past and present of one race', () => {
  const past = () => readHistory(historyFrame())[0];

  it('lie behind one another, and the past ends where the present begins', () => {
    const live = new LiveRace(raceOf(streamed()));
    const late = streamed(undefined, 20); // who opened the page late
    live.take(late);
    const merged = withPast({ ...live.current(), status: 'racing' }, past());
    for (const { moments } of merged.lanes) {
      expect(moments.length).toBeGreaterThan(10);
      const counts = moments.map(({ requests }) => requests);
      expect(counts).toEqual([...counts].sort((a, b) => a - b));
      const times = moments.map(({ at }) => at);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  });

  it('of a race that is over end in its last moment', () => {
    const live = new LiveRace(raceOf(endedFrame()));
    live.take(endedFrame());
    const merged = withPast(live.current(), past());
    const [lane] = merged.lanes;
    expect(lane?.moments.length).toBeGreaterThan(4);
    expect(lane?.moments.at(-1)).toMatchObject({ place: 1, requests: live.current().lanes[0]?.moments[0]?.requests });
    expect(merged.heatStarts).toHaveLength(2);
  });

  it('end when the race did, whatever was told of it later', () => {
    const live = new LiveRace(raceOf(endedFrame()));
    live.take(endedFrame());
    const merged = withPast({ ...live.current(), took: 5.5 }, past());
    expect(merged.lanes.map(({ moments }) => moments.at(-1)?.at)).toEqual([5.5, 5.5]);
    expect(merged.lanes.flatMap(({ moments }) => moments.filter(({ at }) => at > 5.5))).toEqual([]);
  });

  it('know when a lane was out: when nothing more was answered', () => {
    const moments = [1, 2, 3, 4].map((at) => ({ at, requests: Math.min(at, 2), rate: at <= 2 ? 1 : 0 }));
    const lanes = [{ app: 'a', baseline: false, moments: [{ at: 5, requests: 2, out: 'memory, 2 s' }] }];
    const over = { id: 'r', name: 'r', status: 'finished', detail: '', phase: 'done', heats: 1, heatStarts: [], lanes };
    const merged = withPast(over, { ...over, lanes: [{ app: 'a', baseline: false, moments }] });
    expect(merged.lanes[0]?.moments.map(({ out = '' }) => out)).toEqual(['', '', 'memory, 2 s', 'memory, 2 s', 'memory, 2 s']);
  });

  it('without a past are the present', () => {
    const live = new LiveRace(raceOf(endedFrame()));
    live.take(endedFrame());
    expect(withPast(live.current(), undefined)).toBe(live.current());
  });
});
