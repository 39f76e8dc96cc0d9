import { asList, asRecord, asText } from '../../../shared/json';
import { logScale, logTicks, type Scale, type Tick } from './scale';

/** What a search for the highest rate that each app holds came to. Rates are per second. */
export interface Capacity {
  /** The highest p95 (ms) that a rate may have; undefined where nothing bounds it. */
  bound?: number;
  lanes: LaneCapacity[];
}

export interface LaneCapacity {
  app: string;
  sentence: string;
  /** Undefined where no rate was held, or the search is not over. */
  rate?: number;
  low?: number;
  /** Undefined where the app may hold more. */
  high?: number;
  tries: Try[];
}

/** A heat at one rate. */
export interface Try {
  rate: number;
  held: boolean;
  /** ms; undefined where nothing was answered. */
  p95?: number;
  broke: string[];
}

export function readCapacity(value: unknown): Capacity | undefined {
  const told = asRecord(value);
  const sentences = asRecord(told.sentences);
  const lanes = asList(told.lanes)
    .map(asRecord)
    .map((lane) => ({
      app: asText(lane.app),
      sentence: asText(sentences[asText(lane.app)]),
      ...{ rate: positive(lane.rate), low: positive(lane.low), high: positive(lane.high) },
      tries: asList(lane.tries).map(readTry).filter(isTry),
    }));
  if (lanes.every(({ tries }) => tries.length === 0)) {
    return undefined;
  }
  const bounds = asList(told.conditions)
    .map(asRecord)
    .filter(({ measure, op }) => measure === 'latency_p95' && (op === '<' || op === '<='))
    .map((condition) => positive(condition.value))
    .filter((bound) => bound !== undefined);
  return { bound: bounds.length > 0 ? Math.min(...bounds) : undefined, lanes };
}

function readTry(value: unknown): Try | undefined {
  const one = asRecord(value);
  const rate = positive(one.rate);
  return rate === undefined
    ? undefined
    : { rate, held: one.held === true, p95: positive(asRecord(one.measures).latency_p95), broke: asList(one.broke).map(asText) };
}

function isTry(one: Try | undefined): one is Try {
  return one !== undefined;
}

/** A logarithmic axis has no place for zero. */
function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}

export interface Axis {
  scale: Scale;
  ticks: Tick[];
}

/** The axis of rates in pixels. */
export function rateAxis({ lanes }: Capacity, start: number, end: number): Axis {
  const rates = lanes.flatMap(({ tries, rate }) => [...tries.map((one) => one.rate), ...(rate === undefined ? [] : [rate])]);
  return axis(Math.min(...rates) / 1.05, Math.max(...rates) * 1.05, start, end);
}

/** The axis of p95 in pixels, upwards; undefined where no try has one. */
export function latencyAxis({ lanes, bound }: Capacity, bottom: number, top: number): Axis | undefined {
  const all = lanes.flatMap(({ tries }) => tries.flatMap(({ p95 }) => (p95 === undefined ? [] : [p95])));
  if (all.length === 0) {
    return undefined;
  }
  const whole = bound === undefined ? all : [...all, bound];
  return axis(Math.min(...whole) / 1.15, Math.max(...whole) * 1.15, bottom, top);
}

function axis(from: number, to: number, start: number, end: number): Axis {
  const scale = logScale(from, to, start, end);
  return { scale, ticks: logTicks(scale) };
}

/** A rate that was tried, once or again and again. */
export interface Spot {
  rate: number;
  /** The middle of the tries, ms. */
  p95: number;
  held: number;
  tries: number;
}

/** The rates that were tried, ascending: tries of the same rate are one spot. */
export function spotsOf({ tries }: LaneCapacity): Spot[] {
  const rates = [...new Set(tries.map(({ rate }) => rate))].sort((a, b) => a - b);
  return rates.flatMap((rate) => {
    const same = tries.filter((one) => one.rate === rate);
    const known = same.flatMap(({ p95 }) => (p95 === undefined ? [] : [p95])).sort((a, b) => a - b);
    const p95 = known[known.length >> 1];
    return p95 === undefined ? [] : [{ rate, p95, held: same.filter(({ held }) => held).length, tries: same.length }];
  });
}

/** The rate that was tried of a lane and is nearest to a pixel. */
export function nearestSpot(lane: LaneCapacity, x: Scale, pixel: number): Spot | undefined {
  return spotsOf(lane).sort((a, b) => Math.abs(x.at(a.rate) - pixel) - Math.abs(x.at(b.rate) - pixel))[0];
}
