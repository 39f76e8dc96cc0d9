import { describe, expect, it } from 'vitest';

import { endedFrame, liveFrame, packets, streamed } from '../testdata/frames';
import { isLive, keptMoments, LiveRace, raceOf } from './live';
import { isOver } from './race';

const whole = () => {
  const race = new LiveRace(raceOf(streamed()));
  race.take(streamed());
  return race.current();
};

describe('a recorded stream', () => {
  it('is a race with its lanes, limits and heats', () => {
    const race = whole();
    expect(race.id).toMatch(/^race-/);
    expect(race).toMatchObject({ name: 'race', status: 'finished', phase: 'done', heats: 2 });
    expect(
      race.lanes.map(({ app, baseline, cpuLimit, memoryLimit, target }) => ({ app, baseline, cpuLimit, memoryLimit, target }))
    ).toEqual([
      { app: 'control', baseline: true, cpuLimit: 0.5, memoryLimit: 128 << 20, target: 240 },
      { app: 'high-latency', baseline: false, cpuLimit: 0.5, memoryLimit: 128 << 20, target: 240 },
    ]);
    expect(race.heatStarts.filter((start) => start !== undefined)).toHaveLength(2);
    expect(isOver(race)).toBe(true);
  });

  it('reads the same whether it comes at once or packet by packet, through a window of a few rows', () => {
    const race = new LiveRace(raceOf(streamed(1)));
    packets.forEach((_, i) => race.take(streamed(i + 1, 6)));
    const { lanes } = race.current();
    const want = whole().lanes;
    expect(lanes.map(({ moments }) => moments.length)).toEqual(want.map(({ moments }) => moments.length));
    expect(lanes.map(({ moments }) => moments.map(({ requests }) => requests))).toEqual(
      want.map(({ moments }) => moments.map(({ requests }) => requests))
    );
  });

  it('is read once: the same frame again brings nothing', () => {
    const race = new LiveRace(raceOf(streamed()));
    expect(race.take(streamed())).toBe(true);
    const before = race.current();
    expect(race.take(streamed())).toBe(false);
    expect(race.current()).toBe(before);
  });

  it('never counts backwards, and its clock only goes on', () => {
    for (const { moments } of whole().lanes) {
      expect(moments.map(({ requests }) => requests)).toEqual(moments.map(({ requests }) => requests).sort((a, b) => a - b));
      expect(moments.map(({ at }) => at)).toEqual(moments.map(({ at }) => at).sort((a, b) => a - b));
      expect(moments[0]?.at).toBeLessThan(whole().heatStarts[0] ?? 0); // the warm-up
    }
  });
});

it('a race that is over is its last moment', () => {
  const race = new LiveRace(raceOf(endedFrame()));
  race.take(endedFrame());
  expect(race.current().lanes.map(({ moments }) => moments.length)).toEqual([1, 1]);
  expect(race.current().lanes[0]?.moments[0]).toMatchObject({ place: 1, done: 1 });
});

describe('the clock', () => {
  it('is moved under what was read before anybody knew when the race began', () => {
    const race = new LiveRace({ id: 'r', name: 'r' });
    race.take(liveFrame([{ time: 100, app: 'a', phase: 'warmup' }]));
    expect(race.current().lanes[0]?.moments.map(({ at }) => at)).toEqual([0]);
    race.take(liveFrame([{ time: 103, app: 'a', elapsed: 1 }]));
    expect(race.current().lanes[0]?.moments.map(({ at }) => at)).toEqual([-2, 1]);
  });

  it('begins with the first moment of the race where the columns of the contract are all there is', () => {
    const race = new LiveRace({ id: 'r', name: 'r' });
    race.take(
      liveFrame([...[100, 101].map((time) => ({ time, app: 'a', phase: 'warmup' })), ...[102, 103].map((time) => ({ time, app: 'a' }))])
    );
    expect(race.current().lanes[0]?.moments.map(({ at }) => at)).toEqual([-2, -1, 0, 1]);
  });
});

it('a heat that was joined in its middle has no known start', () => {
  const race = new LiveRace({ id: 'r', name: 'r' });
  const heat = (time: number, phase: string, number: number) => ({ time, app: 'a', phase, heat: number });
  race.take(liveFrame([heat(10, 'race', 2), heat(11, 'done', 2), heat(12, 'warmup', 3), heat(13, 'race', 3), heat(14, 'race', 3)]));
  expect(race.current().heatStarts[1]).toBeUndefined();
  expect(race.current().heatStarts[2]).toBe(3);
  expect(race.current().status).toBe('racing');
});

it('a long race is thinned in its older half', () => {
  const race = new LiveRace({ id: 'r', name: 'r' });
  race.take(liveFrame(Array.from({ length: keptMoments + 1 }, (_, i) => ({ time: i, app: 'a', requests: i }))));
  const moments = race.current().lanes[0]?.moments ?? [];
  expect(moments.length).toBe(keptMoments / 2 + 1 + keptMoments / 4);
  expect(moments[moments.length - 1]?.requests).toBe(keptMoments);
});

it('what is measured by nobody is missing, and no number of the wrong form is taken for one', () => {
  const race = new LiveRace({ id: 'r', name: 'r' });
  race.take(liveFrame([{ time: 1, app: 'a', requests: 0, errors: 0, p95: null, cpu_cores: Number.NaN, memory_bytes: 'many' }]));
  expect(race.current().lanes[0]?.moments[0]).toMatchObject({ p95: undefined, cpu: undefined, memory: undefined, errors: undefined });
});

it('knows live frames from others', () => {
  expect(isLive(endedFrame())).toBe(true);
  expect(isLive({ fields: [], length: 0 })).toBe(false);
});

it('a race that is over tells how long it took, which its last event does not: that comes later', () => {
  const race = new LiveRace({ id: 'r', name: 'r' });
  race.take(liveFrame([{ time: 100, app: 'a', status: 'racing', took: null }]));
  expect(race.current().took).toBeUndefined();
  race.take(liveFrame([{ time: 144, app: 'a', status: 'finished', took: 41.5 }]));
  expect(race.current().took).toBe(41.5);
});
