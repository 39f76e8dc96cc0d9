import { describe, expect, it } from 'vitest';

import { capacities, only } from '../testdata/frames';
import { type Capacity, latencyAxis, nearestSpot, rateAxis, readCapacity, spotsOf } from './capacity';
import { readFinishes } from './finish';

const finish = only(readFinishes(capacities()));
const capacity = finish.capacity as Capacity;

describe('a recorded search for capacities', () => {
  it('is read off the frame of the verdicts', () => {
    expect(capacity.bound).toBe(60);
    expect(finish.certainty).toMatch(/^A capacity is the highest rate that keeps latency_p95<60/);
    expect(capacity.lanes.map(({ app }) => app)).toEqual(['two-workers', 'three-workers']);
    for (const { app, rate, low, high, sentence, tries } of capacity.lanes) {
      expect(low, app).toBeLessThan(rate ?? 0);
      expect(high, app).toBeGreaterThan(rate ?? 0);
      expect(sentence).toContain(`${app} holds `);
      expect(tries.length).toBeGreaterThan(8);
      expect(tries.every(({ held, broke }) => held === (broke.length === 0))).toBe(true);
    }
  });

  it('gives its app the verdict on the capacity, not that on p95', () => {
    expect(finish.apps.map(({ outcome }) => outcome)).toEqual(['', 'faster']);
  });

  it('has a spot for each rate, however often it was tried', () => {
    for (const lane of capacity.lanes) {
      const spots = spotsOf(lane);
      const rates = spots.map(({ rate }) => rate);
      expect(rates).toEqual([...new Set(rates)].sort((a, b) => a - b));
      expect(spots.reduce((sum, { tries }) => sum + tries, 0)).toBe(lane.tries.length);
      expect(spots.some(({ tries }) => tries > 1)).toBe(true);
    }
  });

  it('fits its axes, the bound too', () => {
    const x = rateAxis(capacity, 0, 1000);
    const y = latencyAxis(capacity, 200, 0);
    for (const { tries, low, high } of capacity.lanes) {
      for (const { rate, p95 } of tries) {
        expect(x.scale.at(rate)).toBeGreaterThan(0);
        expect(x.scale.at(rate)).toBeLessThan(1000);
        expect(y?.scale.at(p95 ?? 0)).toBeGreaterThan(0);
        expect(y?.scale.at(p95 ?? 0)).toBeLessThan(200);
      }
      expect(x.scale.at(high ?? 0) - x.scale.at(low ?? 0)).toBeGreaterThan(0);
    }
    expect(y?.scale.at(60)).toBeGreaterThan(0);
  });

  it('is read off at the nearest rate', () => {
    const x = rateAxis(capacity, 0, 1000);
    const lane = capacity.lanes[0];
    expect(lane && nearestSpot(lane, x.scale, 0)?.rate).toBe(Math.min(...(lane?.tries ?? []).map(({ rate }) => rate)));
  });
});

describe('a search that found less', () => {
  const tries = [{ rate: 100, held: true, measures: { latency_p95: 3 }, broke: [] }];

  it('may be open to the right', () => {
    const read = readCapacity({ lanes: [{ app: 'a', rate: 100, low: 100, high: null, tries }] });
    expect(read?.lanes[0]).toMatchObject({ rate: 100, low: 100, high: undefined });
    expect(read?.bound).toBeUndefined();
  });

  it('may have held nothing, and measured nothing', () => {
    const read = readCapacity({ lanes: [{ app: 'a', rate: null, tries: [{ rate: 5, held: false, measures: {}, broke: ['x'] }] }] });
    expect(read?.lanes[0]?.rate).toBeUndefined();
    expect(read && latencyAxis(read, 1, 0)).toBeUndefined();
    expect(read?.lanes[0] && spotsOf(read.lanes[0])).toEqual([]);
  });

  it('of the wrong form is none', () => {
    for (const odd of [
      undefined,
      null,
      3,
      {},
      { lanes: 'x' },
      { lanes: [{ app: 'a' }] },
      { lanes: [{ app: 'a', tries: [{ rate: 'fast' }] }] },
    ]) {
      expect(readCapacity(odd)).toBeUndefined();
    }
  });
});
