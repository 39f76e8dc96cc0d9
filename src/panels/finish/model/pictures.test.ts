import { describe, expect, it } from 'vitest';

import { made, only, recorded } from '../testdata/frames';
import { readFinishes } from './finish';
import { bandPath, curvePath, nearest, percentileAxis, ratioAxis, ratiosOf } from './ratios';
import { ridgeAxis, ridgePath, ridgesOf } from './ridges';
import { labelled, logScale, logTicks } from './scale';
import { spreadOf } from './spline';

const recordedFinish = only(readFinishes(recorded.race));

describe('the spread that a curve tells', () => {
  it('goes through the measured percentiles', () => {
    for (const { curve } of recordedFinish.apps) {
      const spread = spreadOf(curve);
      for (const { percentile, ms } of curve) {
        expect(spread?.share(ms)).toBeCloseTo(percentile / 100, 2);
      }
    }
  });

  it('never falls, and its density adds up to everything', () => {
    for (const { curve } of recordedFinish.apps) {
      const spread = spreadOf(curve);
      if (!spread) {
        throw new Error('there is a curve');
      }
      const [from, to, n] = [spread.from / 2, spread.to * 2, 20_000];
      const step = Math.log(to / from) / n;
      let [sum, before, least, fall] = [0, 0, 0, 0];
      for (let i = 0; i <= n; i++) {
        const ms = from * Math.exp(i * step);
        least = Math.min(least, spread.density(ms));
        fall = Math.max(fall, before - spread.share(ms));
        before = spread.share(ms);
        sum += spread.density(ms) * step;
      }
      expect([least, fall]).toEqual([0, 0]);
      expect(sum).toBeCloseTo(1, 1);
    }
  });

  it('of equal percentiles stays finite', () => {
    const curve = [1, 25, 50, 75, 99].map((percentile) => ({ percentile, ms: 5 }));
    const spread = spreadOf(curve);
    expect(Number.isFinite(spread?.density(5))).toBe(true);
    expect(spread?.from).toBeGreaterThan(0);
  });

  it('is none without at least three points', () => {
    expect(spreadOf([{ percentile: 50, ms: 1 }])).toBeUndefined();
  });
});

describe('ridges', () => {
  it('share one axis, are equally high, and mark p50, p95 and p99', () => {
    const ridges = ridgesOf(recordedFinish);
    expect(ridges?.rows).toHaveLength(4);
    for (const { outline, marks } of ridges?.rows ?? []) {
      expect(Math.max(...outline.map(({ height }) => height))).toBeCloseTo(1);
      expect(outline[0]?.ms).toBeCloseTo(ridges?.from ?? 0);
      expect(marks.map(({ percentile }) => percentile)).toEqual([50, 95, 99]);
    }
  });

  it('are drawn as closed paths without NaN', () => {
    const ridges = ridgesOf(recordedFinish);
    const axis = ridges && ridgeAxis(ridges, 200, 600);
    for (const row of ridges?.rows ?? []) {
      const path = axis ? ridgePath(row, axis.scale, 50, 46) : '';
      expect(path).toMatch(/^M[\d.]+ 50L.*Z$/);
      expect(path).not.toContain('NaN');
    }
  });

  it('are none of a race without curves', () => {
    expect(ridgesOf({ ...recordedFinish, apps: recordedFinish.apps.map((one) => ({ ...one, curve: [] })) })).toBeUndefined();
  });

  it('are thirty of thirty apps', () => {
    const names = Array.from({ length: 30 }, (_, n) => `app-${n}`);
    expect(ridgesOf(only(readFinishes(made(names))))?.rows).toHaveLength(30);
  });
});

describe('ratios', () => {
  const ratios = ratiosOf(recordedFinish);
  const x = percentileAxis(0, 1000);

  it('leave the baseline out and hold 1 on their axis', () => {
    expect(ratios?.curves.map(({ app }) => app)).toEqual(['high-cpu', 'high-latency', 'memory-leak']);
    expect(ratios?.low).toBeLessThan(1);
    expect(ratios?.high).toBeGreaterThan(1);
  });

  it('stand on a logit axis from 1 to 99.9', () => {
    expect([x.at(1), x.at(99.9)]).toEqual([0, 1000]);
    expect(x.at(99) - x.at(95)).toBeGreaterThan(x.at(55) - x.at(50));
  });

  it('become a line and a band', () => {
    const y = ratios && ratioAxis(ratios, 200, 0);
    const points = ratios?.curves[0]?.points ?? [];
    expect(y && curvePath(points, x.at, y.scale.at)).toMatch(/^M0\.0 [\d.]+(L[\d.]+ [\d.]+){20}$/);
    expect(y && bandPath(points, x.at, y.scale.at)).toMatch(/^M.*Z$/);
  });

  it('of one heat have no band', () => {
    const one = ratiosOf(only(readFinishes(made(['a', 'b'], { heats: 1 }))));
    expect(bandPath(one?.curves[0]?.points ?? [], x.at, (v) => v)).toBe('');
  });

  it('are read off at the nearest percentile', () => {
    expect(nearest(ratios?.curves ?? [], x.at, x.at(94))).toBe(95);
    expect(nearest([], x.at, 3)).toBeUndefined();
  });

  it('near one have labels all the same', () => {
    const near = { curves: [], low: 0.9, high: 1.1 };
    expect(ratioAxis(near, 200, 0).ticks.map(({ value }) => value)).toEqual([0.9, 0.95, 1, 1.05, 1.1]);
  });
});

describe('a logarithmic scale', () => {
  const scale = logScale(1, 100, 0, 200);

  it('goes to pixels and back', () => {
    expect(scale.at(10)).toBeCloseTo(100);
    expect(scale.value(100)).toBeCloseTo(10);
  });

  it('puts what lies outside on its edge', () => {
    expect([scale.at(0), scale.at(1e9)]).toEqual([0, 200]);
    expect(scale.value(-5)).toBe(1);
  });

  it('has ticks at 1, 2 and 5', () => {
    expect(logTicks({ from: 1, to: 12 }).map(({ value }) => value)).toEqual([1, 2, 5, 10]);
  });

  it('labels the powers of ten first, and others where there is room', () => {
    expect([...labelled(logTicks(scale), scale.at, 40)]).toEqual([1, 10, 100]);
    expect(labelled(logTicks(scale), scale.at, 30)).toContain(2);
  });
});
