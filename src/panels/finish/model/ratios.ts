import type { Finish, Ratio } from './finish';
import { logScale, logTicks, type Scale, type Tick } from './scale';
import { logit } from './spline';

export const firstPercentile = 1;
export const lastPercentile = 99.9;

export interface Curve {
  app: string;
  points: Ratio[];
}

export interface Ratios {
  curves: Curve[];
  low: number;
  high: number;
}

/** The apps' latencies over the baseline's. An interval may be wider than the picture: it reaches at most three times beyond the curves. */
export function ratiosOf({ apps, baseline }: Finish): Ratios | undefined {
  const curves = apps
    .filter(({ app, ratios }) => app !== baseline && ratios.length > 0)
    .map(({ app, ratios }) => ({
      app,
      points: ratios
        .filter(({ percentile }) => percentile >= firstPercentile && percentile <= lastPercentile)
        .sort((a, b) => a.percentile - b.percentile),
    }));
  const points = curves.flatMap((curve) => curve.points);
  if (points.length === 0) {
    return undefined;
  }
  const ratios = points.map(({ ratio }) => ratio);
  const [least, most] = [Math.min(1 / 1.1, ...ratios), Math.max(1.1, ...ratios)];
  const lows = points.flatMap(({ low }) => (low === undefined ? [] : [Math.max(low, least / 3)]));
  const highs = points.flatMap(({ high }) => (high === undefined ? [] : [Math.min(high, most * 3)]));
  return { curves, low: Math.min(least, ...lows) / 1.05, high: Math.max(most, ...highs) * 1.05 };
}

/** The logit axis of percentiles in pixels. */
export function percentileAxis(start: number, end: number): { at: (percentile: number) => number; ticks: Tick[] } {
  const [low, high] = [logit(firstPercentile), logit(lastPercentile)];
  return {
    at: (percentile) => start + ((logit(percentile) - low) / (high - low)) * (end - start),
    ticks: [1, 10, 50, 90, 95, 99, 99.9].map((value) => ({ value, minor: value === 10 || value === 95 })),
  };
}

/** The axis of ratios in pixels, upwards. */
export function ratioAxis({ low, high }: Ratios, bottom: number, top: number): { scale: Scale; ticks: Tick[] } {
  const scale = logScale(low, high, bottom, top);
  // Within less than a factor of two those of a logarithmic axis are too few to read anything off.
  const fine = [0.6, 0.7, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.3, 1.5].filter((v) => v >= low && v <= high);
  return { scale, ticks: high / low > 2 ? logTicks(scale) : fine.map((value) => ({ value, minor: value !== 1 })) };
}

export function curvePath(points: readonly Ratio[], x: (percentile: number) => number, y: (ratio: number) => number): string {
  return points.map(({ percentile, ratio }, i) => `${i === 0 ? 'M' : 'L'}${x(percentile).toFixed(1)} ${y(ratio).toFixed(1)}`).join('');
}

/** The bands of the intervals: one for each stretch of percentiles that have one. */
export function bandPath(points: readonly Ratio[], x: (percentile: number) => number, y: (ratio: number) => number): string {
  const stretches: Array<Array<Required<Ratio>>> = [[]];
  for (const { percentile, ratio, low, high } of points) {
    if (low !== undefined && high !== undefined) {
      stretches.at(-1)?.push({ percentile, ratio, low, high });
    } else if (stretches.at(-1)?.length) {
      stretches.push([]);
    }
  }
  return stretches
    .filter((stretch) => stretch.length > 1)
    .map((stretch) => {
      const corner = (percentile: number, ratio: number) => `${x(percentile).toFixed(1)} ${y(ratio).toFixed(1)}`;
      const upper = stretch.map(({ percentile, high }) => corner(percentile, high));
      const lower = stretch.map(({ percentile, low }) => corner(percentile, low)).reverse();
      return `M${[...upper, ...lower].join('L')}Z`;
    })
    .join('');
}

/** The percentile of a curve that is nearest to a pixel. */
export function nearest(curves: readonly Curve[], x: (percentile: number) => number, pixel: number): number | undefined {
  const all = [...new Set(curves.flatMap(({ points }) => points.map(({ percentile }) => percentile)))];
  return all.sort((a, b) => Math.abs(x(a) - pixel) - Math.abs(x(b) - pixel))[0];
}
