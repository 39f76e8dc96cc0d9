import { asList, asRecord, asText, asTime } from '../../shared/json';
import { hasEnded } from '../../shared/races';
import { about } from './words';

/** An app of a race, and why it left it. */
export interface LaneState {
  app: string;
  /** exited, oom, killed or unhealthy; empty while all is well. */
  out: string;
  code?: number;
  log: string[];
}

export interface RaceState {
  id: string;
  name: string;
  script: string;
  status: string;
  by: string;
  startedAt?: number;
  finishedAt?: number;
  position?: number;
  baseline: string;
  heats: number;
  heatsRun: number;
  lanes: LaneState[];
  /** Why the race failed its audit; empty for a fair one. */
  unfair: string[];
  /** Why it failed, in a sentence, and what was printed about it. */
  error: string;
  printed: string[];
  /** Of a race that has not ended, where the runner tells it. */
  detail: string;
  elapsedMs?: number;
  remainingMs?: number;
}

const underWay = ['queued', 'preparing', 'warming-up', 'racing', 'collecting'];

/** The resource call for all races that have not ended, the waiting ones among them. */
export const openRaces = `races?${underWay.map((status) => `status=${status}`).join('&')}&limit=50`;

export function readRace(answer: unknown): RaceState {
  const race = asRecord(answer);
  const progress = asRecord(race.progress);
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
  return {
    id: asText(race.id),
    name: asText(race.name),
    script: asText(race.script),
    status: asText(race.status),
    by: asText(race.requested_by),
    startedAt: asTime(race.started_at ?? undefined),
    finishedAt: asTime(race.finished_at ?? undefined),
    position: number(race.position),
    baseline: asText(race.baseline),
    heats: number(race.planned_heats) ?? 0,
    heatsRun: asList(race.heats).length,
    lanes: asList(race.lanes).map(readLane),
    unfair: readUnfair(asRecord(race.audit)),
    ...readError(asText(race.error)),
    detail: asText(progress.detail),
    elapsedMs: number(progress.elapsed_ms),
    remainingMs: number(progress.remaining_ms),
  };
}

function readUnfair(audit: Record<string, unknown>): string[] {
  if (audit.fair !== false) {
    return [];
  }
  const findings = asList(audit.findings).map(asRecord);
  return findings
    .filter(({ severity }) => severity === 'unfair')
    .map(({ lane, detail }) => [asText(lane), asText(detail)].filter(Boolean).join(': '));
}

/** The runner quotes an app's last lines below its sentence. */
function readError(text: string): { error: string; printed: string[] } {
  const [first = '', ...printed] = text.split('\n');
  return { error: first.replace(/; it printed:$/, ''), printed: printed.map((line) => line.trim()) };
}

function readLane(value: unknown): LaneState {
  const lane = asRecord(value);
  const exit = asRecord(lane.exit);
  const reason = asText(exit.reason);
  return {
    app: asText(lane.app),
    out: ['', 'running', 'stopped'].includes(reason) ? '' : reason,
    code: typeof exit.code === 'number' ? exit.code : undefined,
    log: asList(lane.last_log).map(asText),
  };
}

/** The races under way and those that wait, in the order in which they are run. */
export function readOpen(page: unknown): RaceState[] {
  const races = asList(asRecord(page).races).map(readRace);
  return races.filter((race) => race.id !== '' && !hasEnded(race)).sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
}

/** What a race is doing, in words. */
export function statusWords(race: RaceState): string {
  switch (race.status) {
    case 'queued':
      return race.position === undefined || race.position === 1 ? 'next in the queue' : `number ${race.position} in the queue`;
    case 'preparing':
      return race.detail || 'getting ready';
    case 'warming-up':
      return race.detail ? `warming up, ${race.detail}` : 'warming up';
    case 'racing':
      return race.detail ? `racing, ${race.detail}` : 'racing';
    case 'collecting':
      return 'collecting the last figures';
    default:
      return race.status;
  }
}

/** How much of the race is behind it, 0 to 1; undefined where nobody knows. */
export function share({ elapsedMs, remainingMs, status }: RaceState): number | undefined {
  if (status === 'queued' || elapsedMs === undefined || remainingMs === undefined || elapsedMs + remainingMs <= 0) {
    return undefined;
  }
  return Math.min(1, Math.max(0, elapsedMs / (elapsedMs + remainingMs)));
}

export function leftWords({ remainingMs, status }: RaceState): string {
  if (remainingMs === undefined) {
    return '';
  }
  return status === 'queued' ? `takes ${about(remainingMs)}` : `${about(Math.max(1000, remainingMs))} left`;
}

const outWords: Record<string, string> = {
  exited: 'ended by itself',
  oom: 'ran out of memory',
  killed: 'was killed',
  unhealthy: 'did not get ready',
};

/** Why an app left the race: "memory-leak ran out of memory". */
export function exitWords({ app, out, code }: LaneState): string {
  return `${app} ${outWords[out] ?? out}${out === 'exited' && code !== undefined ? ` with code ${code}` : ''}`;
}
