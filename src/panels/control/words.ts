import { lengthOf } from '../../shared/words';
import type { Definition, LaneDefinition } from './definition';

// The words for lengths of time are the runner's (runner/plan): terminal, report and panels say the same.

/** To 5 s from a minute on, to the minute from an hour on: an estimate promises no more. */
function rounded(ms: number): number {
  const step = ms >= 3_600_000 ? 60_000 : ms >= 60_000 ? 5000 : 1000;
  return Math.round(ms / step) * step;
}

export function about(ms: number): string {
  return `about ${lengthOf(rounded(ms))}`;
}

/** To two digits, which is as much as an estimate promises: 12,000. */
function countOf(n: number): string {
  let step = 1;
  while (n / step >= 100) {
    step *= 10;
  }
  return String(Math.floor((n + Math.floor(step / 2)) / step) * step).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** 4 apps, 8 heats of 4 s each in turns (2 CPUs are too few to race together), warm-up 1 s: about 2 min 50 s, about 1,800 time series (290 samples/s) */
export function planWords(plan: Definition): string {
  const apps = plan.lanes.length === 1 ? '1 app' : `${plan.lanes.length} apps`;
  const length = lengthOf(plan.durationMs);
  const heats = plan.heats === 1 ? `1 heat of ${length}` : `${plan.heats} heats of ${length} each`;
  const mode = plan.racedAs === 'turns' ? 'in turns' : plan.racedAs;
  const why = plan.racedWhy ? ` (${plan.racedWhy})` : '';
  const warmup = plan.warmupMs > 0 ? `warm-up ${lengthOf(plan.warmupMs)}` : 'no warm-up';
  const profiles = plan.profileHeats > 0 ? `, then ${plan.profileHeats} for profiles` : '';
  const capacity = plan.capacityTries > 0 ? `, then about ${plan.capacityTries} for the capacity of each app` : '';
  const bound = plan.untilDecided ? 'until decided, at most ' : '';
  const cost = plan.series ? `, about ${countOf(plan.series.total)} time series (${countOf(plan.series.samplesPerSecond)} samples/s)` : '';
  return `${apps}, ${heats} ${mode}${why}, ${warmup}${capacity}${profiles}: ${bound}${about(plan.estimateMs)}${cost}`;
}

/** What a new race waits for, empty where nothing is under way. */
export function waitWords(before: number, remainingMs: number): string {
  if (before === 0) {
    return '';
  }
  return `It starts after the ${before === 1 ? 'race' : `${before} races`} before it, in ${about(remainingMs)}.`;
}

export function bytesOf(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${units[power]}`;
}

/** 0.5 CPU, 128 MiB */
export function limitWords({ cpus, memory, cpuset, started }: LaneDefinition): string {
  if (!started) {
    return 'runs already';
  }
  const parts = [
    cpus === undefined ? '' : `${cpus} CPU${cpus > 1 ? 's' : ''}`,
    memory === undefined ? '' : bytesOf(memory),
    cpuset ? `on CPU ${cpuset}` : '',
  ];
  return parts.filter(Boolean).join(', ') || 'no limits';
}

/** The load of a script, for its field's placeholder. */
export function numberText(value: number | undefined): string {
  return value === undefined ? '' : String(Number(value.toPrecision(6)));
}
