import { at, type Entrant, type Finish } from './finish';
import { logScale, logTicks, type Scale, type Tick } from './scale';
import { type Spread, spreadOf } from './spline';

export const marked = [50, 95, 99] as const;

export interface Ridge {
  app: string;
  /** Heights between 0 and 1 along the axis. */
  outline: Array<{ ms: number; height: number }>;
  marks: Array<{ percentile: number; ms: number }>;
  spread: Spread;
}

export interface Ridges {
  rows: Ridge[];
  from: number;
  to: number;
}

const samples = 240;

/** The densities of the apps' latencies on one axis, each drawn equally high. */
export function ridgesOf(finish: Finish): Ridges | undefined {
  const spreads = finish.apps.flatMap((one) => {
    const spread = spreadOf(one.curve);
    return spread ? [{ one, spread }] : [];
  });
  if (spreads.length === 0) {
    return undefined;
  }
  const from = Math.min(...spreads.map(({ spread }) => spread.from)) / 1.15;
  const to = Math.max(...spreads.map(({ spread }) => spread.to)) * 1.15;
  const step = Math.log(to / from) / samples;
  const axis = Array.from({ length: samples + 1 }, (_, i) => from * Math.exp(i * step));
  return { rows: spreads.map(({ one, spread }) => ridge(one, spread, axis, step)), from, to };
}

/** axis: where the density is sampled, in ms, in equal steps of its logarithm. */
function ridge({ app, curve }: Entrant, spread: Spread, axis: readonly number[], step: number): Ridge {
  const smooth = smoothed(axis.map(spread.density), Math.round(smoothing(curve) / step));
  const peak = Math.max(...smooth) || 1;
  return {
    app,
    outline: axis.map((ms, i) => ({ ms, height: (smooth[i] ?? 0) / peak })),
    marks: marked.flatMap((percentile) => {
      const ms = at(curve, percentile);
      return ms === undefined ? [] : [{ percentile, ms }];
    }),
    spread,
  };
}

/** A quarter of the standard deviation that the quartiles of a log-normal tell: about what Silverman's rule says for a thousand requests. */
function smoothing(curve: Entrant['curve']): number {
  const [low, high] = [at(curve, 25), at(curve, 75)];
  return low && high ? (0.25 * Math.log(high / low)) / 1.35 : 0;
}

/** A moving average by a triangle so many samples wide to each side: an average of those before, then one of those behind. */
function smoothed(values: readonly number[], width: number): number[] {
  const longer = [...values, ...Array.from({ length: width }, () => 0)];
  return averaged(averaged(longer, width).reverse(), width).reverse().slice(0, values.length);
}

/** The average of each value and so many before it, zeros before the first. */
function averaged(values: readonly number[], before: number): number[] {
  let sum = 0;
  return values.map((value, i) => {
    sum += value - (values[i - before - 1] ?? 0);
    return sum / (before + 1);
  });
}

/** The axis in pixels, and its ticks. */
export function ridgeAxis({ from, to }: Ridges, start: number, end: number): { scale: Scale; ticks: Tick[] } {
  const scale = logScale(from, to, start, end);
  return { scale, ticks: logTicks(scale) };
}

/** A closed curve over the line `bottom`, its peak `tall` pixels above; what is lower than a pixel's tenth is left out. */
export function ridgePath({ outline }: Ridge, scale: Scale, bottom: number, tall: number): string {
  const seen = outline.map(({ height }) => height * tall > 0.1);
  const [first, last] = [seen.indexOf(true), seen.lastIndexOf(true)];
  if (first < 0) {
    return '';
  }
  const drawn = outline.slice(first, last + 1);
  const steps = drawn.map(({ ms, height }) => `L${scale.at(ms).toFixed(1)} ${(bottom - height * tall).toFixed(1)}`);
  const [start, end] = [drawn[0], drawn.at(-1)].map((point) => scale.at(point?.ms ?? 1).toFixed(1));
  return `M${start} ${bottom}${steps.join('')}L${end} ${bottom}Z`;
}
