import { asList, asRecord, asText } from './json';

/** A measure as the resource call `measures` tells it. */
export interface MeasureInfo {
  id: string;
  name: string;
  /** Grafana's id of the unit, or the unit itself where Grafana has none. */
  unit: string;
  better: 'lower' | 'higher' | '';
  source: string;
  primary: boolean;
  /** One sentence: what it is and which series it comes from. */
  description: string;
}

export function readMeasures(answer: unknown): MeasureInfo[] {
  return asList(answer)
    .map(asRecord)
    .map((m): MeasureInfo => ({
      id: asText(m.id),
      name: asText(m.name),
      unit: asText(m.unit),
      better: m.better === 'lower' || m.better === 'higher' ? m.better : '',
      source: asText(m.source),
      primary: m.primary === true,
      description: asText(m.description),
    }))
    .filter((m) => m.id !== '');
}

// How the units are written in a list. Grafana's own ids are no words.
const units: Record<string, string> = {
  ms: 'ms',
  reqps: 'req/s',
  percentunit: 'share, 0–1',
  Bps: 'B/s',
  decbytes: 'bytes',
  short: 'count',
  cps: 'per second',
};

const groups: Record<string, string> = {
  client: 'Seen by the client (k6)',
  container: 'Spent by the container (cAdvisor)',
  joined: 'Per request (both joined)',
  script: "The script's own",
};

/** A measure as an option of a list: name and unit, and the explanation below. Lists cut long explanations off, so the direction comes first. */
export function measureOption(m: MeasureInfo) {
  const direction = m.better ? `${m.better === 'lower' ? 'Lower' : 'Higher'} is better. ` : '';
  return {
    value: m.id,
    label: `${m.name || m.id} (${units[m.unit] ?? m.unit})`,
    description: direction + m.description,
    group: groups[m.source] ?? 'Other',
  };
}
