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
  return { rows: spreads.map(({ one, spread }) => ridge(one, spread, from, to)), from, to };
}

function ridge({ app, curve }: Entrant, spread: Spread, from: number, to: number): Ridge {
  const step = Math.log(to / from) / samples;
  const width = smoothing(curve) / step;
  const raw = Array.from({ length: samples + 1 }, (_, i) => spread.density(from * Math.exp(i * step)));
  const smooth = smoothed(raw, Math.round(width));
  const peak = Math.max(...smooth) || 1;
  return {
    app,
    outline: smooth.map((density, i) => ({ ms: from * Math.exp(i * step), height: density / peak })),
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

/** A moving average by a triangle so many samples wide to each side. */
function smoothed(values: readonly number[], width: number): number[] {
  return values.map((_, i) => {
    let [sum, weights] = [0, 0];
    for (let k = -width; k <= width; k++) {
      const weight = 1 - Math.abs(k) / (width + 1);
      sum += weight * (values[i + k] ?? 0);
      weights += weight;
    }
    return sum / weights;
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
