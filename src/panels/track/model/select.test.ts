import { toDataFrame } from '@grafana/data';
import { describe, expect, it } from 'vitest';

import { readOptions } from '../options';
import { endedFrame, historyFrame, liveFrame, streamed } from '../testdata/frames';
import { ghostOf, Selector } from './select';

describe('the race that is drawn', () => {
  it('is the one that is told live, with its own past, and another’s past is a ghost', () => {
    const selector = new Selector();
    const foreign = historyFrame();
    foreign.meta = { custom: { races: [{ id: 'an-earlier-one', heats: [] }] } };
    const track = selector.select([streamed(10), historyFrame(), foreign]);
    expect(track).toMatchObject({ live: true, replayable: true, race: { name: 'race' }, ghost: { id: 'an-earlier-one' } });
    const lane = track?.race.lanes[1];
    expect(track && lane && ghostOf('race', track, lane)?.app).toBe('high-latency');
    expect(track && lane && ghostOf('baseline', track, lane)?.app).toBe('control');
    expect(track && lane && ghostOf('none', track, lane)).toBeUndefined();
    expect(track && ghostOf('baseline', track, track.race.lanes[0] as never)).toBeUndefined();
  });

  it('without a runner is what Prometheus remembers', () => {
    expect(new Selector().select([historyFrame(), liveFrame([])])).toMatchObject({ live: false, replayable: true });
  });

  it('without a runner wears what the query’s baseline makes of it, and ends in the figures of the whole race', () => {
    const verdicts = toDataFrame({ fields: [] });
    const figures = (p95: number) => ({ latency_p95: p95, request_rate: 50, error_rate: 0.01, cpu_cores: null });
    verdicts.meta = {
      custom: {
        races: [
          {
            id: 'ab22',
            apps: [
              { app: 'b', requests: 700, measures: figures(8.97) },
              { app: 'a', measures: null },
            ],
          },
        ],
      },
    };
    const frame = toDataFrame({
      fields: [
        { name: 'elapsed', values: [1, 2] },
        ...['a', 'b'].flatMap((app) => [
          { name: 'request_rate', labels: { app, measure: 'request_rate' }, values: [50, 50] },
          { name: 'latency_p95', labels: { app, measure: 'latency_p95' }, values: [4, 4.42] },
        ]),
      ],
    });
    const told = { apps: ['b', 'a'], baseline: 'a', races: [{ id: 'ab22', name: 'ab', status: 'finished', took: 2, heats: [[0, 2]] }] };
    frame.meta = { custom: told };
    const race = new Selector().select([frame, verdicts])?.race;
    expect(race).toMatchObject({ name: 'ab', status: 'finished', took: 2 });
    expect(race?.lanes.map(({ app, baseline }) => [app, baseline])).toEqual([
      ['b', false],
      ['a', true],
    ]);
    expect(race?.lanes[0]?.moments.map(({ requests, p95 }) => [requests, p95])).toEqual([
      [350, 4],
      [700, 8.97],
    ]);
    expect(race?.lanes[1]?.moments.at(-1)?.p95).toBe(4.42);

    frame.meta = { custom: { ...told, races: [{ ...told.races[0], status: 'racing' }] } };
    const going = new Selector().select([
      { ...frame, fields: frame.fields.map((field) => ({ ...field, values: [...field.values] })) },
      verdicts,
    ]);
    expect(going?.race.lanes[0]?.moments.at(-1)?.p95).toBe(4.42);
  });

  it('told live has the baseline of the query, not of its record', () => {
    const past = historyFrame();
    past.meta = { custom: { ...past.meta?.custom, apps: ['control', 'high-latency'], baseline: 'high-latency' } };
    const race = new Selector().select([streamed(10), past])?.race;
    expect(race?.lanes.filter(({ baseline }) => baseline).map(({ app }) => app)).toEqual(['high-latency']);
  });

  it('changes when another race is told, and nothing of the one before stays', () => {
    const selector = new Selector();
    selector.select([liveFrame([{ time: 5, app: 'a' }], 'one')]);
    expect(selector.select([liveFrame([{ time: 1, app: 'b' }], 'two')])?.race.lanes.map(({ app }) => app)).toEqual(['b']);
  });

  it('goes on after a stream that broke: the lane comes back at what was counted meanwhile', () => {
    const selector = new Selector();
    selector.select([liveFrame([{ time: 5, app: 'a', requests: 10, elapsed: 5 }])]);
    const track = selector.select([liveFrame([{ time: 65, app: 'a', requests: 500, elapsed: 65 }])]);
    expect(track?.race.lanes[0]?.moments.map(({ at, requests }) => [at, requests])).toEqual([
      [5, 10],
      [65, 500],
    ]);
  });

  it('that is over and has no past is only shown', () => {
    expect(new Selector().select([endedFrame()])?.replayable).toBe(false);
  });

  it('stands while a query fails, and goes where there is none', () => {
    const selector = new Selector();
    const track = selector.select([liveFrame([{ time: 5, app: 'a' }])]);
    expect(selector.select([], true)).toBe(track);
    expect(selector.select([])).toBeUndefined();
    expect(selector.select([], true)).toBeUndefined();
  });

  it('is none where there is none', () => {
    expect(new Selector().select([])).toBeUndefined();
    expect(new Selector().select([liveFrame([]), toDataFrame({ fields: [] })])).toBeUndefined();
  });
});

it('options are read whatever a dashboard holds', () => {
  expect(readOptions({})).toEqual({ ghost: 'baseline', distance: 'auto', gauges: ['p95', 'rate', 'errors', 'cpu', 'memory'], speed: 4 });
  const stored = { ghost: 'nonsense', distance: 7, gauges: ['cpu', 'x'], speed: -1 } as never;
  expect(readOptions(stored)).toEqual({ ghost: 'baseline', distance: 'auto', gauges: ['cpu'], speed: 4 });
});
