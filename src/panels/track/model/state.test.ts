import { describe, expect, it } from 'vitest';

import { streamed } from '../testdata/frames';
import { LiveRace, raceOf } from './live';
import { indexAt, type Lane, type Moment, type Race, span } from './race';
import { ghostX, heatTicks, requestsAt, standingAt } from './state';

const lane = (app: string, moments: Moment[], more: Partial<Lane> = {}): Lane => ({ app, baseline: false, moments, ...more });
const race = (lanes: Lane[], more: Partial<Race> = {}): Race => ({
  ...{ id: 'r', name: 'r', status: 'racing', detail: '', phase: 'race', heats: 2, heatStarts: [0], lanes },
  ...more,
});
const run = (...counts: number[]): Moment[] => counts.map((requests, i) => ({ at: i, requests, done: (i + 1) / 10 }));

describe('between two counts', () => {
  const one = lane('a', run(0, 10, 30));

  it.each([
    [-1, 0],
    [0, 0],
    [0.5, 5],
    [1.5, 20],
    [2, 30],
    [99, 30], // never ahead of what was measured
  ])('at %s there are %s requests', (at, want) => expect(requestsAt(one, at)).toBeCloseTo(want));

  it('a lane without any is at its start', () => {
    expect(requestsAt(lane('b', []), 5)).toBe(0);
    expect(standingAt(race([lane('b', [])]), 5).runners[0]).toMatchObject({ x: 0, place: 0, moment: undefined });
  });
});

describe('no position of the recorded race', () => {
  const live = new LiveRace(raceOf(streamed()));
  live.take(streamed());
  const recorded = { ...live.current(), status: 'racing' };

  it('lies outside of what was measured before and after it', () => {
    const { from, to } = span(recorded);
    for (let at = from; at < to; at += 0.017) {
      for (const {
        lane: { moments },
        requests,
      } of standingAt(recorded, at).runners) {
        const i = indexAt(moments, at);
        expect(requests).toBeGreaterThanOrEqual(moments[i]?.requests ?? 0);
        expect(requests).toBeLessThanOrEqual(moments[i + 1]?.requests ?? moments[i]?.requests ?? 0);
      }
    }
  });
});

describe('the finish', () => {
  it('is the target where the load is a rate', () => {
    const open = race([lane('a', run(0, 50), { target: 200 }), lane('b', run(0, 20), { target: 200 })]);
    expect(standingAt(open, 1)).toMatchObject({ finish: 200, finishKnown: true, estimated: false });
    expect(standingAt(open, 1).runners.map(({ x }) => x)).toEqual([0.25, 0.1]);
    expect(standingAt(open, 1, 'requests').estimated).toBe(true);
  });

  it('is what the fastest will complete at its pace, in a closed race that goes on', () => {
    const closed = race([lane('a', run(0, 50)), lane('b', run(0, 20))]);
    expect(standingAt(closed, 1)).toMatchObject({ finish: 250, finishKnown: true, estimated: true });
    expect(standingAt(closed, 1).runners.map(({ x }) => x)).toEqual([0.2, 0.08]); // the leader is where the time is
  });

  it('takes turns into account: who has had less time is not behind for it', () => {
    const turns = race([lane('a', [{ at: 1, requests: 100, done: 0.4 }]), lane('b', [{ at: 1, requests: 60, done: 0.2 }])]);
    expect(standingAt(turns, 1).finish).toBe(300);
  });

  it('is what the fastest completed, once the race is over', () => {
    const over = race([lane('a', run(0, 50)), lane('b', run(0, 20))], { status: 'finished' });
    expect(standingAt(over, 1)).toMatchObject({ finish: 50, estimated: false });
    expect(standingAt(over, 0.5).runners[0]?.x).toBe(0.5);
  });

  it('is not known where only Prometheus tells', () => {
    const moments = [{ at: 1, requests: 100 }];
    expect(standingAt(race([lane('a', moments)], { status: '' }), 1)).toMatchObject({ finishKnown: false });
  });

  it('does not jump about before there is anything to estimate from', () => {
    const start = race([lane('a', [{ at: 0, requests: 3, done: 0.0001 }])]);
    expect(standingAt(start, 0).runners[0]?.x).toBeLessThanOrEqual(0.01);
  });
});

describe('places', () => {
  it('are the runner’s, where it tells them', () => {
    const told = race([lane('a', [{ at: 0, requests: 1, place: 2 }]), lane('b', [{ at: 0, requests: 9, place: 1 }])]);
    expect(standingAt(told, 0).runners.map(({ place }) => place)).toEqual([2, 1]);
  });

  it('go by requests from Prometheus', () => {
    const past = race([lane('a', [{ at: 0, requests: 10 }]), lane('b', [{ at: 0, requests: 90 }]), lane('c', [{ at: 0, requests: 0 }])]);
    expect(standingAt(past, 0).runners.map(({ place }) => place)).toEqual([2, 1, 0]);
  });

  it('go by p95 from Prometheus where all completed the same', () => {
    const past = race([lane('a', [{ at: 0, requests: 100, p95: 9 }]), lane('b', [{ at: 0, requests: 99, p95: 3 }])]);
    expect(standingAt(past, 0).runners.map(({ place }) => place)).toEqual([2, 1]);
  });
});

it('the trail is as long as the rate, of the fastest of the race', () => {
  const paced = race([
    lane('a', [
      { at: 0, requests: 1, rate: 40 },
      { at: 1, requests: 2, rate: 10 },
    ]),
    lane('b', [{ at: 0, requests: 1 }]),
  ]);
  expect(standingAt(paced, 1).runners.map(({ pace }) => pace)).toEqual([0.25, 0]);
});

it('a lane that is out stays where it stopped, without a trail and without a place', () => {
  const out = race([
    lane('a', [
      { at: 0, requests: 5, rate: 5, place: 1 },
      { at: 1, requests: 5, rate: 0, place: 0, out: 'memory, 1 s' },
    ]),
  ]);
  expect(standingAt(out, 60).runners[0]).toMatchObject({ out: 'memory, 1 s', pace: 0, place: 0, requests: 5 });
});

it('a ghost is where its own lane was after the same time', () => {
  expect(ghostX(lane('a', run(0, 10, 30)), 1.5, 100)).toBeCloseTo(0.2);
  expect(ghostX(undefined, 1, 100)).toBeUndefined();
  expect(ghostX(lane('a', []), 1, 100)).toBeUndefined();
});

it('heats are ticks where the lane was when they began, once they have', () => {
  const heats = race([lane('a', run(0, 10, 20, 30))], { heatStarts: [0, 1, 2.5, 9] });
  expect(heatTicks(heats, heats.lanes[0] as Lane, 2, 100)).toEqual([0.1]);
  expect(heatTicks(heats, heats.lanes[0] as Lane, 3, 100)).toEqual([0.1, 0.25]);
});

it('30 lanes, one of them of 200 letters, all have a place and a position', () => {
  const lanes = Array.from({ length: 30 }, (_, i) => lane(i === 0 ? '🐌'.repeat(100) : `app-${i}`, run(0, i + 1)));
  const { runners } = standingAt(race(lanes), 1);
  expect(new Set(runners.map(({ place }) => place)).size).toBe(30);
  expect(runners.every(({ x }) => x >= 0 && x <= 1)).toBe(true);
});
