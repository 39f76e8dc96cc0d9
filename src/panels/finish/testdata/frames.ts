import { type DataFrame, type DataFrameJSON, dataFrameFromJSON, type Field, FieldType, toDataFrame } from '@grafana/data';

import type { Finish } from '../model/finish';

import capacity from './capacity.json';
import race from './race.json';
import two from './two.json';
import unfair from './unfair.json';

/** What the data source answered about real races to the panel's three queries: one that nobody audited, one whose audit failed, and two at once. */
export const recorded = { race: framesOf(race), unfair: framesOf(unfair), two: framesOf(two) };

function framesOf(answer: unknown): DataFrame[] {
  return (answer as DataFrameJSON[]).map(dataFrameFromJSON);
}

/** The panel's frames of a race that never was: each app's latencies are log-normal, the median of the n-th being 1 + n ms. */
export function made(apps: string[], { heats = 8, baseline = apps[0] ?? '', custom = {} } = {}): DataFrame[] {
  const percentiles = [1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 75, 80, 85, 90, 95, 98, 99, 99.5, 99.9];
  const curve = (n: number) => percentiles.map((p) => (1 + n) * Math.exp(0.3 * quantile(p / 100)));
  const others = apps.filter((app) => app !== baseline);
  const rows = others.flatMap((app) => percentiles.map((percentile) => ({ app, percentile, ratio: 1 + apps.indexOf(app) })));
  const table = (name: string, meta: object, columns: Record<string, unknown[]>) =>
    toDataFrame({ name, meta, fields: Object.entries(columns).map(([field, values]) => ({ name: field, values })) });
  const audit = { fair: true, overridden_by: null, findings: [] };
  const told = {
    ...{
      id: 'made',
      name: 'made',
      status: 'finished',
      baseline,
      heats,
      certainty: 'Each was compared.',
      fairness: 'fair: nothing found',
      audit,
    },
    apps: apps.map((app) => ({ app, sentence: app === baseline ? '' : `${app} is slower than ${baseline}: p95 × 2`, out: '' })),
    ...custom,
  };
  const curves = apps.map((app, n): Field => ({ name: app, labels: { app }, type: FieldType.number, config: {}, values: curve(n) }));
  const axis: Field = { name: 'percentile', type: FieldType.number, config: {}, values: percentiles };
  return [
    table(
      'verdict',
      { custom: { races: [told] } },
      {
        ...{ app: others, measure: others.map(() => 'latency_p95'), outcome: others.map(() => 'slower') },
        ...{ race: others.map(() => 'made'), baseline: others.map(() => baseline) },
      }
    ),
    { name: 'percentiles', length: percentiles.length, fields: [axis, ...curves] },
    table(
      'ratios',
      {},
      {
        ...{ app: rows.map((row) => row.app), percentile: rows.map((row) => row.percentile), ratio: rows.map(({ ratio }) => ratio) },
        low: rows.map(({ ratio }) => (heats > 1 ? ratio * 0.9 : null)),
        high: rows.map(({ ratio }) => (heats > 1 ? ratio * 1.1 : null)),
      }
    ),
    table('standings', {}, { app: apps, rank: apps.map((_, n) => n + 1) }),
  ];
}

/** A race that searched capacities: what the runner recorded of the search, the rest made up. */
export function capacities(): DataFrame[] {
  const [two, three] = ['two-workers', 'three-workers'];
  const sentence = `${three} holds more load than ${two}: capacity × 1.50 [1.45, 1.56]`;
  const apps = [two, three].map((app) => ({ app, sentence: app === three ? sentence : '', out: '' }));
  const [verdicts, ...others] = made([two, three], { heats: 1, custom: { apps, certainty: capacity.terms, capacity } });
  const fields = { app: [three, three, three], measure: ['capacity', 'latency_p95', 'cpu_ms_per_request'] };
  const undecided = ['inconclusive', 'inconclusive'];
  const table = toDataFrame({
    name: 'verdict',
    meta: verdicts?.meta,
    fields: Object.entries({ ...fields, outcome: ['faster', ...undecided], race: ['made', 'made', 'made'], baseline: [two, two, two] }).map(
      ([name, values]) => ({ name, values })
    ),
  });
  return [table, ...others];
}

/** The quantile of the normal distribution, by Acklam's rational approximation of its middle and a logit beyond; good to 1%. */
export function quantile(p: number): number {
  return (Math.log(p / (1 - p)) / 1.702) * (1 - 0.02 * Math.abs(Math.log(p / (1 - p))));
}

export function only(finishes: Finish[]): Finish {
  const [finish] = finishes;
  if (!finish) {
    throw new Error('there is no race');
  }
  return finish;
}
