import type { DataFrame, Field } from '@grafana/data';

import { reader } from '../../../shared/columns';
import { asList, asNumber, asRecord, asText, asTime } from '../../../shared/json';
import { type Capacity, readCapacity } from './capacity';
import { readThresholds, type Threshold } from './thresholds';

/** A race as the panel shows it. Times are milliseconds since 1970. */
export interface Finish {
  id: string;
  name: string;
  status: string;
  /** Why the race failed or was stopped, '' otherwise. */
  error: string;
  startedAt?: number;
  finishedAt?: number;
  baseline: string;
  heats: number;
  /** What the intervals are, in a sentence. */
  certainty: string;
  /** The audit in one line; '' where no query asked for it. */
  fairness: string;
  fair: boolean;
  overriddenBy: string;
  findings: Finding[];
  /** The script's own; [] where it has none, and where nobody recorded them. */
  thresholds: Threshold[];
  /** Undefined where no capacity was searched. */
  capacity?: Capacity;
  /** In the order of the lanes. */
  apps: Entrant[];
}

export interface Finding {
  lane: string;
  kind: string;
  severity: string;
  detail: string;
}

export interface Entrant {
  app: string;
  sentence: string;
  /** How the app left the race, '' where it stayed. */
  out: string;
  /** The verdict on the capacity where one was searched, else on p95; '' where there is none. */
  outcome: string;
  /** There is a verdict on CPU per request. */
  costed: boolean;
  /** From 1; undefined without standings. */
  place?: number;
  curve: Point[];
  ratios: Ratio[];
}

/** A percentile (0-100) and its latency in ms. */
export interface Point {
  percentile: number;
  ms: number;
}

/** The ratio to the baseline at a percentile; without an interval where there were too few heats. */
export interface Ratio {
  percentile: number;
  ratio: number;
  low?: number;
  high?: number;
}

/** Reads the races off the frames of the queries verdict (field all), distribution and standings; any of them may be missing. */
export function readFinishes(frames: readonly DataFrame[]): Finish[] {
  const told = frames.flatMap((frame) => asList(asRecord(frame.meta?.custom).races)).map(readRace);
  const races = told.length > 0 ? told : [unnamed()];
  for (const frame of frames) {
    if (has(frame, 'app', 'measure', 'outcome')) {
      readVerdicts(frame, races);
    } else if (has(frame, 'app', 'percentile', 'ratio')) {
      readRatios(frame, races);
    } else if (has(frame, 'app', 'rank')) {
      readRanks(frame, races);
    } else if (frame.fields[0]?.name === 'percentile') {
      readCurves(frame, races);
    }
  }
  return races.filter((race) => race.id !== '' || race.apps.length > 0);
}

function readRace(value: unknown): Finish {
  const race = asRecord(value);
  const audit = asRecord(race.audit);
  return {
    id: asText(race.id),
    name: asText(race.name) || asText(race.id),
    status: asText(race.status),
    error: asText(race.error),
    startedAt: asTime(race.started_at),
    finishedAt: asTime(race.finished_at),
    baseline: asText(race.baseline),
    heats: Number(race.heats) || 0,
    certainty: asText(race.certainty),
    fairness: asText(race.fairness),
    fair: audit.fair === true,
    overriddenBy: asText(audit.overridden_by),
    findings: asList(audit.findings)
      .map(asRecord)
      .map((f) => ({ lane: asText(f.lane), kind: asText(f.kind), severity: asText(f.severity), detail: asText(f.detail) })),
    thresholds: readThresholds(race.thresholds),
    capacity: readCapacity(race.capacity),
    apps: asList(race.apps)
      .map(asRecord)
      .map((one) => entrant(asText(one.app), asText(one.sentence), asText(one.out))),
  };
}

/** What holds the curves of a panel that does not ask for verdicts. */
function unnamed(): Finish {
  return {
    ...{ id: '', name: '', status: '', error: '', baseline: '', heats: 0, certainty: '', fairness: '', fair: true, overriddenBy: '' },
    findings: [],
    thresholds: [],
    apps: [],
  };
}

function entrant(app: string, sentence = '', out = ''): Entrant {
  return { app, sentence, out, outcome: '', costed: false, curve: [], ratios: [] };
}

function has(frame: DataFrame, ...names: string[]): boolean {
  return names.every((name) => frame.fields.some((field) => field.name === name));
}

/** The app of a race; a frame that tells no race is about the only one. An app that nobody named yet joins at the end. */
function find(races: Finish[], id: string, app: string): Entrant | undefined {
  const race = id === '' ? races[0] : races.find((one) => one.id === id || one.id === '');
  if (!race || app === '') {
    return undefined;
  }
  let found = race.apps.find((one) => one.app === app);
  if (!found) {
    found = entrant(app);
    race.apps.push(found);
  }
  return found;
}

function readVerdicts(frame: DataFrame, races: Finish[]): void {
  const rows = reader(frame);
  const capacities = new Set<Entrant>();
  for (let row = 0; row < frame.length; row++) {
    const found = find(races, rows.text('race', row), rows.text('app', row));
    const measure = rows.text('measure', row);
    if (found && (measure === 'capacity' || (measure === 'latency_p95' && !capacities.has(found)))) {
      if (measure === 'capacity') {
        capacities.add(found);
      }
      found.outcome = rows.text('outcome', row);
    }
    if (found && measure === 'cpu_ms_per_request') {
      found.costed = true;
    }
    const race = races.find((one) => one.id === rows.text('race', row));
    if (race && race.baseline === '') {
      race.baseline = rows.text('baseline', row);
    }
  }
}

function readRatios(frame: DataFrame, races: Finish[]): void {
  const rows = reader(frame);
  for (let row = 0; row < frame.length; row++) {
    const [percentile, ratio] = [rows.number('percentile', row), positive(rows.number('ratio', row))];
    if (percentile !== undefined && ratio !== undefined) {
      const [low, high] = [positive(rows.number('low', row)), positive(rows.number('high', row))];
      find(races, rows.text('race', row), rows.text('app', row))?.ratios.push({ percentile, ratio, low, high });
    }
  }
}

function readRanks(frame: DataFrame, races: Finish[]): void {
  const rows = reader(frame);
  for (let row = 0; row < frame.length; row++) {
    const found = find(races, rows.text('race', row), rows.text('app', row));
    if (found) {
      found.place = rows.number('rank', row);
    }
  }
}

function readCurves(frame: DataFrame, races: Finish[]): void {
  const [axis, ...curves] = frame.fields;
  for (const field of curves) {
    const found = find(races, field.labels?.race ?? '', field.labels?.app ?? field.name);
    if (axis && found) {
      found.curve = pointsOf(axis, field);
    }
  }
}

function pointsOf(axis: Field, field: Field): Point[] {
  return axis.values
    .map((percentile: unknown, row: number) => ({ percentile: asNumber(percentile), ms: positive(field.values[row]) }))
    .filter((point): point is Point => point.percentile !== undefined && point.ms !== undefined)
    .sort((a, b) => a.percentile - b.percentile);
}

/** A logarithmic axis has no place for zero. */
function positive(value: unknown): number | undefined {
  const number = asNumber(value);
  return number !== undefined && number > 0 ? number : undefined;
}

/** The latency at one percentile, if the curve has it. */
export function at(curve: readonly Point[], percentile: number): number | undefined {
  return curve.find((point) => point.percentile === percentile)?.ms;
}
