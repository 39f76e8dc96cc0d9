import type { GhostKind } from './model/select';
import { type Gauge, gauges } from './model/gauges';
import type { Distance } from './model/state';

export interface Options {
  ghost: GhostKind;
  distance: Distance;
  gauges: Gauge[];
  /** How many seconds of the race pass in a second of a replay. */
  speed: number;
}

export const speeds = [1, 4, 16];

export const defaults: Options = { ghost: 'baseline', distance: 'auto', gauges: [...gauges], speed: 4 };

/** The options that a dashboard holds, whatever it holds. */
export function readOptions(stored: Partial<Options>): Options {
  const shown = Array.isArray(stored.gauges) ? gauges.filter((gauge) => stored.gauges?.includes(gauge)) : defaults.gauges;
  return {
    ghost: stored.ghost === 'none' || stored.ghost === 'race' ? stored.ghost : defaults.ghost,
    distance: stored.distance === 'requests' || stored.distance === 'target' ? stored.distance : defaults.distance,
    gauges: shown,
    speed: speeds.find((speed) => speed === stored.speed) ?? defaults.speed,
  };
}
