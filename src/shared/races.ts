import type { DataFrame, TimeRange } from '@grafana/data';

import { asList, asRecord, asText, asTime } from './json';

/** What the runner puts behind a race's name to make its id: the start, which lists show beside the name, and some random digits. */
const stamp = /-\d{8}-\d{6}-[0-9a-f]{4}$/;

/** A race as lists show it. Times are milliseconds since 1970. */
export interface RaceInfo {
  id: string;
  name: string;
  status: string;
  startedAt?: number;
  finishedAt?: number;
  apps: string[];
  /** The recorded baseline; a race that only Prometheus knows names none. */
  baseline?: string;
}

const over = ['finished', 'failed', 'cancelled', 'interrupted'];

export function hasEnded({ status }: { status: string }): boolean {
  return over.includes(status);
}

/** Reads the frame of a query of type `races`: the races of the time range, the runner's and those found in Prometheus. */
export function racesOfFrame(frame: DataFrame | undefined): RaceInfo[] {
  if (!frame) {
    return [];
  }
  const column = (name: string) => frame.fields.find((field) => field.name === name)?.values;
  const names = ['id', 'name', 'status', 'started_at', 'finished_at', 'apps', 'baseline'];
  const [id, name, status, started, finished, apps, baseline] = names.map(column);
  return Array.from({ length: frame.length }, (_, row) => ({
    id: asText(id?.[row]),
    name: asText(name?.[row]),
    status: asText(status?.[row]),
    startedAt: asTime(started?.[row]),
    finishedAt: asTime(finished?.[row]),
    apps: asText(apps?.[row])
      .split(', ')
      .filter((app) => app !== ''),
    baseline: asText(baseline?.[row]) || undefined,
  })).filter((race) => race.id !== '');
}

/** Reads a page of the resource call `races`, which mirrors the runner: its newest races, whatever the time range. */
export function racesOfPage(page: unknown): RaceInfo[] {
  return asList(asRecord(page).races)
    .map(asRecord)
    .map((race) => ({
      id: asText(race.id),
      name: asText(race.name),
      status: asText(race.status),
      startedAt: asTime(race.started_at),
      finishedAt: asTime(race.finished_at),
      apps: asList(race.lanes).map((lane) => asText(asRecord(lane).app)),
      baseline: asText(race.baseline) || undefined,
    }))
    .filter((race) => race.id !== '');
}

/** Joins lists of races, the newest first. A race that several lists name is told as the first of them tells it. */
export function mergeRaces(...lists: RaceInfo[][]): RaceInfo[] {
  const byId = new Map<string, RaceInfo>();
  for (const race of lists.flat()) {
    if (!byId.has(race.id)) {
      byId.set(race.id, race);
    }
  }
  // What waits for its start is the newest; what ended before it started stands where it ended, and what never came to its turn is last.
  const start = (race: RaceInfo) => race.startedAt ?? race.finishedAt ?? (hasEnded(race) ? -Infinity : Infinity);
  return [...byId.values()].sort((a, b) => (start(a) === start(b) ? a.id.localeCompare(b.id) : start(b) - start(a)));
}

/** Milliseconds since 1970. */
export interface Span {
  from: number;
  to: number;
}

export const always: Span = { from: -Infinity, to: Infinity };

export function spanOf({ from, to }: TimeRange): Span {
  return { from: from.valueOf(), to: to.valueOf() };
}

/** The race that `$latest` most likely means, one that ended within a time; the back end has the last word. */
export function newestFinished(races: readonly RaceInfo[], name = '', { from, to }: Span = always): RaceInfo | undefined {
  return races
    .filter(({ status, finishedAt }) => status === 'finished' && finishedAt !== undefined && from <= finishedAt && finishedAt <= to)
    .filter((race) => name === '' || race.name === name)
    .sort((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0))[0];
}

/** Whether a race has something to show of a time; one that waits for its start has not. */
export function overlaps({ startedAt, finishedAt }: RaceInfo, { from, to }: Span): boolean {
  return startedAt !== undefined && startedAt <= to && (finishedAt ?? Infinity) >= from;
}

/** The names of races, each once, that of the newest first. */
export function namesOf(races: readonly RaceInfo[]): string[] {
  return [...new Set(races.map(({ name }) => name).filter((name) => name !== ''))];
}

/** The name of a race, with its id where that says more. */
export function raceLabel({ id, name }: RaceInfo): string {
  if (name && stamp.test(id)) {
    return name;
  }
  return name && name !== id ? `${name} (${id})` : id;
}

/** A race as an option of a list. */
export function raceOption(race: RaceInfo, formatTime: (ms: number) => string) {
  const about = [race.startedAt === undefined ? '' : formatTime(race.startedAt), race.status, race.apps.join(', ')];
  return {
    value: race.id,
    label: raceLabel(race),
    description: about.filter((part) => part !== '').join(' · '),
  };
}
