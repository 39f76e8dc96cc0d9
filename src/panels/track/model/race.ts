/** A lane at a moment, as it was measured; what nobody measured is left out. */
export interface Moment {
  /** Seconds since the first heat began; negative before. */
  at: number;
  /** Of the race so far. */
  requests: number;
  /** Requests per second. */
  rate?: number;
  /** ms. */
  p50?: number;
  p95?: number;
  /** Share of the requests that failed, 0-1. */
  errors?: number;
  cpu?: number;
  memory?: number;
  /** Share of the lane's time under load that lies behind it, 0-1. */
  done?: number;
  /** From 1; 0 for who has none. */
  place?: number;
  heat?: number;
  /** False while other lanes have their turn. */
  racing?: boolean;
  /** Why and when the lane left the race; empty while it races. */
  out?: string;
}

export interface Lane {
  app: string;
  baseline: boolean;
  cpuLimit?: number;
  memoryLimit?: number;
  /** Requests that an open model wants of the lane in the whole race. */
  target?: number;
  /** Ascending in time. */
  moments: Moment[];
}

/** What a race does. Only `racing` and the like move; the others stand. */
export interface Race {
  id: string;
  name: string;
  /** The race's status, empty where only Prometheus knows the race. */
  status: string;
  /** Why it waits, or why it ended as it did. */
  detail: string;
  phase: string;
  /** How many heats were declared; 0 where that is not known. */
  heats: number;
  /** When each heat begins, in seconds like Moment.at. */
  heatStarts: number[];
  /** Seconds from its start to its end; undefined before that. */
  took?: number;
  /** Seconds that are left, estimated. */
  remaining?: number;
  lanes: Lane[];
}

const ended = ['finished', 'failed', 'cancelled', 'interrupted'];

export function isOver(race: Race): boolean {
  return ended.includes(race.status);
}

/** How many heats were begun; undefined where nobody counts them. */
export function heatsRun(race: Race): number | undefined {
  const heats = race.lanes.map(({ moments }) => moments[moments.length - 1]?.heat ?? 0);
  return Math.max(0, ...heats) || undefined;
}

/** From the first moment that anybody was measured to the last, in seconds. */
export function span(race: Race): { from: number; to: number } {
  const times = race.lanes.flatMap(({ moments }) => [moments[0]?.at, moments[moments.length - 1]?.at]).filter((at) => at !== undefined);
  const to = Math.max(0, ...times);
  return { from: Math.min(0, to), to };
}

/** The last moment at or before a time, -1 where there is none. */
export function indexAt(moments: readonly Moment[], at: number): number {
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((moments[middle] as Moment).at <= at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}
