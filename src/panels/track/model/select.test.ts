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
