import type { DataFrame } from '@grafana/data';

import { asList, asNumber, asRecord, asText } from '../../../shared/json';
import { isOver, type Lane, type Moment, type Race } from './race';

/**
 * A race as those see it who did not watch: nothing of its way, and of one that is over the figures of the whole of it. A query of type `verdict` with
 * `field: all` tells them; without one there is nothing to add to what Prometheus remembers.
 */
export function resultOf(frames: readonly DataFrame[], race: Race): Race {
  const told = frames.flatMap((frame) => asList(asRecord(frame.meta?.custom).races)).map(asRecord);
  const apps = told.filter(({ id }) => id === race.id).flatMap((one) => asList(one.apps).map(asRecord));
  return { ...race, lanes: race.lanes.map((lane) => ({ ...lane, moments: isOver(race) ? whole(lane, apps) : [] })) };
}

function whole({ app, moments }: Lane, told: ReadonlyArray<Record<string, unknown>>): Moment[] {
  const last = moments[moments.length - 1];
  const own = told.find((one) => asText(one.app) === app);
  const measures = asRecord(own?.measures);
  if (!own || !last || Object.keys(measures).length === 0) {
    return [];
  }
  return [
    {
      at: last.at,
      requests: asNumber(own.requests) ?? last.requests,
      rate: asNumber(measures.request_rate),
      p50: asNumber(measures.latency_p50),
      p95: asNumber(measures.latency_p95),
      errors: asNumber(measures.error_rate),
      cpu: asNumber(measures.cpu_cores),
      memory: asNumber(measures.memory_working_set),
    },
  ];
}
