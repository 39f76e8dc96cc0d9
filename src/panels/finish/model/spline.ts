import type { Point } from './finish';

/** How a latency is spread: the share of requests that took at most so long, and the density of that share per logarithm of time. */
export interface Spread {
  /** The share (0-1) of requests that took at most this many ms. */
  share: (ms: number) => number;
  /** Of the logarithm of time. */
  density: (ms: number) => number;
  /** Where 0.1% and 99.9% of the requests are, in ms; beyond the outermost percentile by the curve's slope there. */
  from: number;
  to: number;
}

/** Two percentiles are taken to be at least 0.02% apart, a small part of a histogram's bucket: equal ones would make an infinite density. */
const apart = Math.log(1.0002);

/**
 * Lays a monotone cubic curve (Fritsch and Carlson, 1980) through percentiles, from the logarithm of latency to the logit of the share. Few percentiles
 * give a smooth density so, and one that is never negative; in between them nobody measured.
 */
export function spreadOf(curve: readonly Point[]): Spread | undefined {
  const points = curve.filter(({ percentile }) => percentile > 0 && percentile < 100);
  if (points.length < 3) {
    return undefined;
  }
  const x: number[] = [];
  for (const { ms } of points) {
    x.push(Math.max(Math.log(ms), (x.at(-1) ?? -Infinity) + apart));
  }
  const y = points.map(({ percentile }) => logit(percentile));
  const slopes = monotoneSlopes(x, y);
  const value = (u: number) => evaluate(x, y, slopes, u);
  const share = (ms: number) => logistic(value(Math.log(ms))[0]);
  const density = (ms: number) => {
    const [v, slope] = value(Math.log(ms));
    const p = logistic(v);
    return p * (1 - p) * slope;
  };
  const [first, last] = [0, x.length - 1];
  const reach = (i: number, target: number) => get(x, i) + (target - get(y, i)) / Math.max(get(slopes, i), 0.1);
  return {
    share,
    density,
    from: Math.exp(Math.min(get(x, first), reach(first, logit(0.1)))),
    to: Math.exp(Math.max(get(x, last), reach(last, logit(99.9)))),
  };
}

/** From a percentile (0-100) to where a logit axis has it. */
export function logit(percentile: number): number {
  return Math.log(percentile / (100 - percentile));
}

export function logistic(v: number): number {
  return 1 / (1 + Math.exp(-v));
}

function get(list: readonly number[], i: number): number {
  return list[i] ?? 0;
}

function monotoneSlopes(x: readonly number[], y: readonly number[]): number[] {
  const n = x.length;
  const secants = Array.from({ length: n - 1 }, (_, i) => (get(y, i + 1) - get(y, i)) / (get(x, i + 1) - get(x, i)));
  return x.map((_, i) => {
    if (i === 0 || i === n - 1) {
      return get(secants, i === 0 ? 0 : n - 2);
    }
    const [before, after] = [get(secants, i - 1), get(secants, i)];
    // The harmonic mean, weighted by the neighbours' widths: it overshoots nowhere.
    const [h0, h1] = [get(x, i) - get(x, i - 1), get(x, i + 1) - get(x, i)];
    const [w0, w1] = [2 * h1 + h0, h1 + 2 * h0];
    return before * after <= 0 ? 0 : (w0 + w1) / (w0 / before + w1 / after);
  });
}

/** Value and slope of the curve at u; beyond its ends it goes on straight. */
function evaluate(x: readonly number[], y: readonly number[], slopes: readonly number[], u: number): [number, number] {
  const last = x.length - 1;
  if (u <= get(x, 0) || u >= get(x, last)) {
    const end = u <= get(x, 0) ? 0 : last;
    return [get(y, end) + get(slopes, end) * (u - get(x, end)), get(slopes, end)];
  }
  let i = 0;
  while (get(x, i + 1) < u) {
    i++;
  }
  const h = get(x, i + 1) - get(x, i);
  const t = (u - get(x, i)) / h;
  const [y0, y1, m0, m1] = [get(y, i), get(y, i + 1), get(slopes, i) * h, get(slopes, i + 1) * h];
  const v = y0 * (1 + 2 * t) * (1 - t) ** 2 + m0 * t * (1 - t) ** 2 + y1 * t * t * (3 - 2 * t) + m1 * t * t * (t - 1);
  const slope = (6 * t * (t - 1) * (y0 - y1) + m0 * (1 - t) * (1 - 3 * t) + m1 * t * (3 * t - 2)) / h;
  return [v, slope];
}
