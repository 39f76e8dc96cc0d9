import { asList, asNumber, asRecord, asText } from '../../shared/json';

export const modes = ['auto', 'together', 'turns'] as const;
export const arrivalKinds = ['uniform', 'poisson', 'even'] as const;
export type Mode = (typeof modes)[number];
export type Arrivals = (typeof arrivalKinds)[number];

/** A lane as a script or a plan defines it. */
export interface LaneDefinition {
  app: string;
  /** How it is started, or where it runs, for people. */
  from: string;
  cpus?: number;
  /** Bytes. */
  memory?: number;
  cpuset?: string;
  /** Whether the runner starts it; what runs already brings its own limits. */
  started: boolean;
}

/** What a script defines, or what a request for a race comes to: the answer of `scripts/{name}` and of `plans`. */
export interface Definition {
  script: string;
  raceName: string;
  baseline: string;
  lanes: LaneDefinition[];
  vus?: number;
  /** Iterations per second and lane. */
  rate?: number;
  durationMs: number;
  heats: number;
  /** Run for profiles after the heats that count. */
  profileHeats: number;
  /** What a rate must keep to be held, '' where no capacity is searched. */
  findCapacity: string;
  /** About how many heats more are run for the capacity of each app. */
  capacityTries: number;
  warmupMs: number;
  mode: Mode;
  racedAs: Mode;
  racedWhy: string;
  arrivals: Arrivals;
  untilDecided: boolean;
  estimateMs: number;
  /** Time series that it makes, and samples per second, estimated; undefined where the runner does not say. */
  series?: { total: number; samplesPerSecond: number };
  /** Undefined where the runner does not say; then it says so when it is asked. */
  resourcesAllowed?: boolean;
}

function oneOf<T extends string>(known: readonly T[], value: unknown, otherwise: T): T {
  return known.find((one) => one === value) ?? otherwise;
}

export function readDefinition(answer: unknown): Definition {
  const all = asRecord(answer);
  const load = asRecord(all.load);
  return {
    script: asText(all.name),
    raceName: asText(all.race_name),
    baseline: asText(all.baseline),
    lanes: asList(all.lanes).map(readLane),
    vus: asNumber(load.vus),
    rate: asNumber(load.rate),
    durationMs: asNumber(load.duration_ms) ?? 0,
    heats: asNumber(all.heats) ?? 0,
    profileHeats: asNumber(all.profile_heats) ?? 0,
    findCapacity: asText(all.find_capacity),
    capacityTries: asNumber(all.capacity_tries) ?? 0,
    warmupMs: asNumber(all.warmup_ms) ?? 0,
    mode: oneOf(modes, all.mode, 'auto'),
    racedAs: oneOf(modes, all.raced_as, 'auto'),
    racedWhy: asText(all.raced_why),
    arrivals: oneOf(arrivalKinds, all.arrivals, 'uniform'),
    untilDecided: all.until_decided === true,
    estimateMs: asNumber(all.estimate_ms) ?? 0,
    series: readSeries(all.series),
    resourcesAllowed: typeof all.resources_allowed === 'boolean' ? all.resources_allowed : undefined,
  };
}

function readSeries(value: unknown): Definition['series'] {
  const { total, samples_per_second } = asRecord(value);
  const [series, samples] = [asNumber(total), asNumber(samples_per_second)];
  return series === undefined || samples === undefined ? undefined : { total: series, samplesPerSecond: samples };
}

function readLane(value: unknown): LaneDefinition {
  const lane = asRecord(value);
  const resources = asRecord(lane.resources);
  const command = asList(lane.command).map(asText).join(' ');
  const url = asText(lane.url);
  return {
    app: asText(lane.app),
    from: url || command || asText(lane.image) || asText(lane.compose) || asText(lane.build),
    cpus: asNumber(resources.cpus),
    memory: asNumber(resources.memory),
    cpuset: asText(resources.cpuset) || undefined,
    started: url === '',
  };
}
