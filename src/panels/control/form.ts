import type { Arrivals, Definition, Mode } from './definition';

/**
 * What the user says otherwise than the script. Texts are as they were typed; an empty one leaves the script's word, which the field shows
 * as its placeholder.
 */
export interface Form {
  name: string;
  vus: string;
  rate: string;
  /** Seconds. */
  duration: string;
  heats: string;
  /** Seconds. */
  warmup: string;
  mode?: Mode;
  arrivals?: Arrivals;
  baseline: string;
  untilDecided?: boolean;
  /** Bounds like latency_p95<200,error_rate<0.01. */
  findCapacity: string;
  /** Apps that do not race. */
  resting: string[];
  /** By app, like 0.5 and 128m. */
  cpus: Record<string, string>;
  memory: Record<string, string>;
}

export const blank: Form = {
  name: '',
  vus: '',
  rate: '',
  duration: '',
  heats: '',
  warmup: '',
  baseline: '',
  findCapacity: '',
  resting: [],
  cpus: {},
  memory: {},
};

/** The body of `POST races` and `POST plans`: a script, and only what is otherwise than it says. */
export interface RaceRequest {
  script: string;
  name?: string;
  load?: { vus?: number | string; rate?: number | string; duration?: number | string };
  heats?: number | string;
  warmup?: number | string;
  mode?: Mode;
  arrivals?: Arrivals;
  baseline?: string;
  until_decided?: boolean;
  find_capacity?: string;
  lanes?: Array<string | Record<string, unknown>>;
}

/** The number that was typed. What is none goes to the runner as it is: it says what is wrong with it. */
function numberOf(text: string, times = 1): number | string | undefined {
  const trimmed = text.trim().replace(',', '.');
  if (trimmed === '') {
    return undefined;
  }
  const value = Number(trimmed) * times;
  return Number.isFinite(value) ? value : trimmed;
}

/** Leaves out what is undefined, so that equal requests are equal texts. */
function given<T extends object>(all: T): T {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as T;
}

export function requestOf(script: Definition, form: Form): RaceRequest {
  const load = given({ vus: numberOf(form.vus), rate: numberOf(form.rate), duration: numberOf(form.duration, 1000) });
  return given<RaceRequest>({
    script: script.script,
    name: form.name.trim() || undefined,
    load: Object.keys(load).length > 0 ? load : undefined,
    heats: numberOf(form.heats),
    warmup: numberOf(form.warmup, 1000),
    mode: form.mode === script.mode ? undefined : form.mode,
    arrivals: form.arrivals === script.arrivals ? undefined : form.arrivals,
    baseline: baselineOf(script, form) === script.baseline ? undefined : baselineOf(script, form),
    until_decided: form.untilDecided === script.untilDecided ? undefined : form.untilDecided,
    find_capacity: form.findCapacity.trim() || undefined,
    lanes: lanesOf(script, form),
  });
}

export function racing(script: Definition, form: Form): string[] {
  return script.lanes.map(({ app }) => app).filter((app) => !form.resting.includes(app));
}

/** The baseline that holds: one that rests cannot be compared with, so the first that races takes its place. */
export function baselineOf(script: Definition, form: Form): string {
  const apps = racing(script, form);
  return [form.baseline, script.baseline].find((app) => apps.includes(app)) ?? apps[0] ?? script.baseline;
}

function lanesOf(script: Definition, form: Form): RaceRequest['lanes'] {
  const lanes = racing(script, form).map((app) => {
    const limits = given({ cpus: numberOf(form.cpus[app] ?? ''), memory: form.memory[app]?.trim() || undefined });
    return Object.keys(limits).length > 0 ? { app, ...limits } : app;
  });
  const asInScript = lanes.length === script.lanes.length && lanes.every((lane) => typeof lane === 'string');
  return asInScript ? undefined : lanes;
}

/** Whether the form says anything that the script does not. */
export function isChanged(request: RaceRequest): boolean {
  return Object.keys(request).length > 1;
}
