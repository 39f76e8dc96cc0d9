import { scalesOf } from './gauges';
import { indexAt, isOver, type Lane, type Moment, type Race, span } from './race';

/** What the length of a lane stands for. */
export type Distance = 'auto' | 'requests' | 'target';

/** A lane as it is drawn at a time. */
export interface Runner {
  lane: Lane;
  /** What was last measured; undefined before the first moment. */
  moment?: Moment;
  /** Requests so far, between two counts in proportion to the time. */
  requests: number;
  /** Where on the lane, 0-1. */
  x: number;
  /** Its rate as a share of the fastest of the race, 0-1. */
  pace: number;
  /** From 1; 0 for who has none. */
  place: number;
  out: string;
}

export interface Standing {
  at: number;
  /** Requests at the end of the lane. */
  finish: number;
  /** Whether anybody knows where the end is: a race that only Prometheus tells of may go on as long as it likes. */
  finishKnown: boolean;
  /** Whether the finish is an estimate from the pace so far. */
  estimated: boolean;
  runners: Runner[];
}

/** Counts at a time. It moves between two measured counts, never beyond the last. */
export function requestsAt({ moments }: Lane, at: number): number {
  const i = indexAt(moments, at);
  const before = moments[i];
  const after = moments[i + 1];
  if (!before) {
    return 0;
  }
  if (!after || after.at <= before.at) {
    return before.requests;
  }
  return before.requests + ((after.requests - before.requests) * (at - before.at)) / (after.at - before.at);
}

function doneAt({ moments }: Lane, at: number): number | undefined {
  const i = indexAt(moments, at);
  const before = moments[i];
  const after = moments[i + 1];
  if (before?.done === undefined || after?.done === undefined || after.at <= before.at) {
    return before?.done;
  }
  return before.done + ((after.done - before.done) * (at - before.at)) / (after.at - before.at);
}

const last = ({ moments }: Lane): Moment | undefined => moments[moments.length - 1];

/** Below this share of a race its end is not estimated from its pace: a handful of requests would move the finish to and fro. */
const leastDone = 0.01;

function finishOf(race: Race, at: number, distance: Distance): Pick<Standing, 'finish' | 'finishKnown' | 'estimated'> {
  const targets = race.lanes.map(({ target }) => target ?? 0);
  if (distance !== 'requests' && Math.max(0, ...targets) > 0) {
    return { finish: Math.max(...targets), finishKnown: true, estimated: false };
  }
  const most = Math.max(1, ...race.lanes.map((lane) => last(lane)?.requests ?? 0));
  const share = Math.max(0, ...race.lanes.map((lane) => last(lane)?.done ?? 0));
  if (isOver(race) || share >= 1) {
    return { finish: most, finishKnown: true, estimated: false };
  }
  if (share > 0) {
    const ends = race.lanes.map((lane) => requestsAt(lane, at) / Math.max(leastDone, doneAt(lane, at) ?? share));
    return { finish: Math.max(1, ...ends), finishKnown: true, estimated: true };
  }
  return { finish: most * 1.1, finishKnown: false, estimated: false };
}

/** Lanes that were asked the same complete about the same: within this share nobody is ahead by counts. */
const sameCount = 0.02;

/** In an open model the lower p95 leads, else the most requests, as the runner ranks them. */
export function isOpen(race: Race): boolean {
  if (race.lanes.some(({ target }) => target !== undefined)) {
    return true;
  }
  if (race.lanes.some((lane) => last(lane)?.done !== undefined)) {
    return false;
  }
  const counts = race.lanes.map((lane) => last(lane)?.requests ?? 0).filter((count) => count > 0);
  return counts.length > 1 && Math.max(...counts) - Math.min(...counts) <= sameCount * Math.max(...counts);
}

/** How a race stands at a time, in seconds since its first heat began. */
export function standingAt(race: Race, at: number, distance: Distance = 'auto'): Standing {
  const { finish, finishKnown, estimated } = finishOf(race, at, distance);
  const fastest = scalesOf(race).rate;
  const runners = race.lanes.map((lane): Runner => {
    const moment = lane.moments[indexAt(lane.moments, at)];
    const requests = requestsAt(lane, at);
    return {
      ...{ lane, moment, requests, x: Math.min(1, requests / finish) },
      pace: fastest > 0 && !moment?.out ? (moment?.rate ?? 0) / fastest : 0,
      ...{ place: moment?.place ?? 0, out: moment?.out ?? '' },
    };
  });
  if (!runners.some(({ moment }) => moment?.place !== undefined)) {
    rank(runners, isOpen(race));
  }
  return { at, finish, finishKnown, estimated, runners };
}

function rank(runners: Runner[], open: boolean): void {
  const order = runners.filter(({ requests, out, moment }) => requests > 0 && !out && (!open || moment?.p95 !== undefined));
  order.sort((a, b) => (open ? (a.moment?.p95 ?? 0) - (b.moment?.p95 ?? 0) : b.requests - a.requests));
  order.forEach((runner, i) => (runner.place = i + 1));
}

/** Where the lane of an earlier race, or the baseline's, was at the same time of its own race. */
export function ghostX(ghost: Lane | undefined, at: number, finish: number): number | undefined {
  return ghost && ghost.moments.length > 0 ? Math.min(1, requestsAt(ghost, at) / finish) : undefined;
}

/** Where a lane was when each of its further heats began, as far as they have. */
export function heatTicks(race: Race, lane: Lane, at: number, finish: number): number[] {
  const { to } = span(race);
  return race.heatStarts
    .filter((start, heat) => heat > 0 && start <= Math.min(at, to)) // the first begins at the start of the lane
    .map((start) => Math.min(1, requestsAt(lane, start) / finish))
    .filter((x) => x > 0);
}
