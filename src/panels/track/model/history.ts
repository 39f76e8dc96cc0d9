import type { DataFrame, Field } from '@grafana/data';

import { asList, asNumber, asRecord, asText } from '../../../shared/json';
import type { Lane, Moment, Race } from './race';

/** What the panel asks of the past; the order does not matter. */
export const historyMeasures = ['request_rate', 'latency_p50', 'latency_p95', 'error_rate', 'cpu_cores', 'memory_working_set'];

type Figure = 'rate' | 'p50' | 'p95' | 'errors' | 'cpu' | 'memory';

const figures: Record<string, Figure> = {
  request_rate: 'rate',
  latency_p50: 'p50',
  latency_p95: 'p95',
  error_rate: 'errors',
  cpu_cores: 'cpu',
  memory_working_set: 'memory',
};

/** Says whether a frame is the answer to a query of type `timeseries` that counts time from the start of the race. */
export function isHistory(frame: DataFrame): boolean {
  return frame.fields[0]?.name === 'elapsed' && frame.fields.some((field) => field.labels?.measure === 'request_rate');
}

/**
 * Reads races from what Prometheus remembers of them, in the order in which they were asked for. Prometheus tells rates: requests are what they
 * add up to, step by step, and a step without a rate adds nothing.
 */
export function readHistory(frame: DataFrame): Race[] {
  const [axis, ...fields] = frame.fields;
  const elapsed = (axis?.values ?? []) as number[];
  const told = asRecord(frame.meta?.custom);
  const clocks = asList(told.races).map(asRecord);
  const lineUp = asList(told.apps).map(asText);
  const ids = clocks.length > 0 ? clocks.map((clock) => asText(clock.id)) : [...new Set(fields.map((field) => field.labels?.race ?? ''))];
  return ids.map((id, i) => {
    const own = fields.filter((field) => field.labels?.app && !field.labels.heat && (field.labels.race ?? id) === id);
    const ran = new Set(own.map((field) => field.labels?.app ?? ''));
    const apps = [...new Set([...lineUp.filter((app) => ran.has(app)), ...ran])];
    const starts = asList(clocks[i]?.heats).map((heat) => Number(asList(heat)[0]));
    return {
      ...{
        id,
        name: asText(clocks[i]?.name) || id,
        status: asText(clocks[i]?.status),
        detail: '',
        phase: '',
        took: asNumber(clocks[i]?.took),
      },
      ...{ heats: starts.length, heatStarts: starts.filter(Number.isFinite) },
      lanes: apps.map((app) => laneOf(app, app === told.baseline, elapsed, own)),
    };
  });
}

function laneOf(app: string, baseline: boolean, elapsed: readonly number[], fields: readonly Field[]): Lane {
  const own = fields.filter((field) => field.labels?.app === app);
  const column = (figure: Figure) => own.find((field) => figures[field.labels?.measure ?? ''] === figure)?.values;
  const columns = (['rate', 'p50', 'p95', 'errors', 'cpu', 'memory'] as const).map((figure) => [figure, column(figure)] as const);
  const moments: Moment[] = [];
  let requests = 0;
  let before = 0;
  elapsed.forEach((at, row) => {
    const moment: Moment = { at, requests };
    for (const [figure, values] of columns) {
      const value: unknown = values?.[row];
      if (typeof value === 'number' && Number.isFinite(value)) {
        moment[figure] = value;
      }
    }
    // A step ends at its time: its rate held since the step before.
    requests += (moment.rate ?? 0) * (at - before);
    before = at;
    moment.requests = requests;
    moments.push(moment);
  });
  return { app, baseline, moments: held(withoutSilence(moments)) };
}

/** How long a figure stands that the next steps do not have, in seconds: sources differ in their pace, and heats have edges. */
const holds = 3;

function held(moments: Moment[]): Moment[] {
  const last = new Map<Figure, { at: number; value: number }>();
  return moments.map((moment) => {
    const whole = { ...moment };
    for (const figure of Object.values(figures)) {
      const value = moment[figure];
      const before = last.get(figure);
      if (value !== undefined) {
        last.set(figure, { at: moment.at, value });
      } else if (before && moment.at - before.at <= holds) {
        whole[figure] = before.value;
      }
    }
    return whole;
  });
}

/** A frame is as long as its longest race: what lies behind a shorter one's end is not a part of it. */
function withoutSilence(moments: Moment[]): Moment[] {
  let end = moments.length;
  while (end > 0 && !hasFigures(moments[end - 1] as Moment)) {
    end--;
  }
  return moments.slice(0, end);
}

function hasFigures(moment: Moment): boolean {
  return moment.rate !== undefined || moment.p95 !== undefined;
}
