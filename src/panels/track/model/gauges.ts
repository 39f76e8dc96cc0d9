import { formattedValueToString, scaledUnits, toFixed } from '@grafana/data';

import type { Lane, Moment, Race } from './race';

export const gauges = ['p95', 'rate', 'errors', 'cpu', 'memory'] as const;
export type Gauge = (typeof gauges)[number];

interface Kind {
  title: string;
  /** What a screen reader says, and a tooltip. */
  about: string;
  write: (value: number) => string;
  limit?: (lane: Lane) => number | undefined;
  /** The least that a whole gauge stands for: a tenth of a percent of errors shall not look like a catastrophe. */
  least: number;
}

/** Three digits, as many as a rate of the last second allows. */
const digits = (value: number) => (value >= 100 || value === 0 ? 0 : value >= 10 ? 1 : 2);

// By getValueFormat, which finds units by their ids, the first number of a page would wait for all of Grafana's units to be made.
const bytes = scaledUnits(1000, [' B', ' kB', ' MB', ' GB', ' TB']);
const threeDigits = (value: number, unit: string) => `${toFixed(value, digits(value))} ${unit}`;

export const kinds: Record<Gauge, Kind> = {
  p95: {
    title: 'p95',
    about: 'p95 latency of the last second',
    write: (v) => (v < 1000 ? threeDigits(v, 'ms') : threeDigits(v / 1000, 's')),
    least: 1,
  },
  rate: {
    title: 'Rate',
    about: 'Requests per second, of the last second',
    write: (v) => `${v.toLocaleString('en-US', { minimumFractionDigits: digits(v), maximumFractionDigits: digits(v) })}/s`,
    least: 1,
  },
  errors: {
    title: 'Errors',
    about: 'Share of all requests so far that failed',
    write: (v) => `${toFixed(100 * v, v === 0 || v >= 0.1 ? 0 : 2)}%`,
    least: 0.05,
  },
  cpu: {
    title: 'CPU',
    about: 'CPU cores used; the mark is the lane’s limit',
    write: (v) => toFixed(v, 2),
    limit: (l) => l.cpuLimit,
    least: 0.1,
  },
  memory: {
    title: 'Memory',
    about: 'Working set of the memory; the mark is the lane’s limit',
    write: (v) => formattedValueToString(bytes(v, 0)),
    limit: (l) => l.memoryLimit,
    least: 1e6,
  },
};

export type Scales = Record<Gauge, number>;

const known = new WeakMap<Race, Scales>();

/** The values at which the gauges are full: the most that any lane of the race showed, or may show, so far. */
export function scalesOf(race: Race): Scales {
  let scales = known.get(race);
  if (!scales) {
    const most = (gauge: Gauge) =>
      race.lanes.reduce((max, lane) => Math.max(max, mostOf(lane.moments, gauge), kinds[gauge].limit?.(lane) ?? 0), kinds[gauge].least);
    scales = Object.fromEntries(gauges.map((gauge) => [gauge, most(gauge)])) as Scales;
    known.set(race, scales);
  }
  return scales;
}

function mostOf(moments: readonly Moment[], gauge: Gauge): number {
  let most = 0;
  for (const moment of moments) {
    most = Math.max(most, moment[gauge] ?? 0);
  }
  return most;
}

export interface Reading {
  gauge: Gauge;
  text: string;
  /** 0-1; undefined where nothing was measured. */
  level?: number;
  /** Where the lane's limit lies, 0-1. */
  limit?: number;
}

/** What a gauge shows of a lane. */
export function read(gauge: Gauge, lane: Lane, moment: Moment | undefined, scales: Scales): Reading {
  const { write, limit } = kinds[gauge];
  const value = moment?.[gauge];
  const mark = limit?.(lane);
  return {
    gauge,
    text: value === undefined ? '–' : write(value),
    level: value === undefined ? undefined : Math.min(1, value / scales[gauge]),
    limit: mark === undefined ? undefined : Math.min(1, mark / scales[gauge]),
  };
}
