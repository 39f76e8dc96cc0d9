import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { copiesOf } from '../../bundle/dashboards.js';
import { type Part, partsOf, queryTypes, type RaceQuery } from '../shared/query';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'src', 'dashboards');
const names = readdirSync(folder).sort();
const provisioned = join(root, 'provisioning');

interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: Array<RaceQuery & { expr?: string }>;
  datasource?: { uid: string };
  collapsed?: boolean;
  panels?: Panel[];
  options?: { legend?: { calcs?: string[] } };
  fieldConfig?: { defaults: { noValue?: string }; overrides: Override[] };
}

interface Override {
  matcher: { id: string; options: unknown };
  properties: Array<{ id: string; value: unknown }>;
}

/** What stands in place of a number that is none, in a cell of a table or of a legend. */
const noNumber = ({ fieldConfig }: Panel) => {
  const overrides = fieldConfig?.overrides.filter(({ matcher }) => matcher.id === 'byType' && matcher.options === 'number') ?? [];
  const found = overrides.flatMap(({ properties }) => properties).find(({ id }) => id === 'noValue');
  return found?.value ?? fieldConfig?.defaults.noValue;
};

const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));

/** The panels of a dashboard, those of its collapsed rows behind their rows. */
const flat = (panels: Panel[]): Panel[] => panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
const dashboards = names.map((name) => ({ name, dashboard: read(name), panels: flat(read(name).panels) }));
const uids: string[] = dashboards.map(({ dashboard }) => dashboard.uid);

it('every dashboard is imported with the app', () => {
  const { includes } = JSON.parse(readFileSync(join(root, 'src', 'plugin.json'), 'utf8'));
  const listed = includes.filter(({ type }: { type: string }) => type === 'dashboard');
  expect(listed.map(({ path }: { path: string }) => path).sort()).toEqual(names.map((name) => `dashboards/${name}`));
});

it('the provisioned copies are those that the build makes', () => {
  const copies = copiesOf(dashboards.map(({ dashboard }) => dashboard));
  for (const [i, name] of names.entries()) {
    expect(readFileSync(join(provisioned, 'dashboards', 'photofinish', name), 'utf8'), `npm run build, and commit ${name}`).toBe(copies[i]);
  }
});

describe.each(dashboards)('$name', ({ dashboard, panels }) => {
  it('asks for no input when it is imported, and chooses its data source by a variable', () => {
    expect(dashboard).not.toHaveProperty('__inputs');
    expect(dashboard).not.toHaveProperty('id');
    expect(dashboard.templating.list[0]).toMatchObject({ type: 'datasource', name: 'datasource' });
    const folded = panels.flatMap(({ panels: within = [] }) => within);
    for (const panel of panels.filter(({ targets }) => targets)) {
      expect(panel.datasource?.uid, panel.title).toBe(folded.includes(panel) ? '${prometheus}' : '${datasource}');
    }
  });

  it('asks Grafana’s Prometheus data source, which may be missing, for nothing before a row is unfolded', () => {
    for (const { collapsed, panels: within = [] } of panels.filter(({ type }) => type === 'row')) {
      expect(collapsed).toBe(within.length > 0);
    }
    const [prometheus] = dashboard.templating.list.filter(({ name }: { name: string }) => name === 'prometheus');
    expect(prometheus?.hide ?? 2).toBe(2);
  });

  it('leads to the others, and to nothing that there is not', () => {
    const led = [...JSON.stringify(dashboard).matchAll(/\/d\/([\w-]+)/g)].map(([, uid]) => uid);
    expect(uids).toEqual(expect.arrayContaining(led));
    expect(new Set([...led, dashboard.uid]).size).toBe(names.length);
  });

  it('knows every variable that it uses', () => {
    const known = dashboard.templating.list.map(({ name }: { name: string }) => name);
    const used = [...JSON.stringify([panels, dashboard.templating]).matchAll(/\$\{?([a-z]\w*)/g)].map(([, name]) => name);
    expect(known).toEqual(expect.arrayContaining(used.filter((name) => name !== 'latest')));
  });

  it('has panels of their own numbers, titles and places', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      expect(title).not.toBe('');
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), `${title} lies over another panel`).toBe(false);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });

  it('says what to do where Grafana’s own panels have nothing to show', () => {
    for (const { type, title, fieldConfig } of panels.filter(({ type }) => ['timeseries', 'trend'].includes(type))) {
      expect(fieldConfig?.defaults.noValue, `${type} ${title}`).toMatch(/\w+ \w+ \w+/);
    }
  });

  it('keeps what an empty panel says out of the legends of series without a value', () => {
    for (const panel of panels.filter(({ options }) => options?.legend?.calcs?.length)) {
      expect(noNumber(panel), panel.title).toBe('-');
    }
  });

  it('asks its data source what that answers', () => {
    const ours = panels.flatMap(({ targets = [] }) => targets).filter(({ expr }) => expr === undefined);
    for (const query of ours.filter(({ queryType }) => (queryType as string) !== 'live')) {
      expect(queryTypes).toContain(query.queryType);
      const parts: readonly Part[] = [...partsOf(query), 'field', 'baseline'];
      for (const part of ['races', 'name', 'apps', 'measures', 'align', 'heats'] as const) {
        expect(parts.includes(part) || query[part] === undefined, `${query.queryType} with ${part}`).toBe(true);
      }
    }
  });
});

it.each(['race.json', 'heats.json', 'races.json'])('empty panels of %s say what holds while a race runs, and without an answer', (name) => {
  const [found] = dashboards.filter((one) => one.name === name);
  const ofFinished = (found?.panels ?? []).filter(({ targets = [] }) => targets.some(({ queryType }) => queryType !== 'races'));
  const texts = ofFinished.flatMap(({ fieldConfig }) => fieldConfig?.defaults.noValue ?? []);
  expect(texts.length).toBeGreaterThan(3);
  for (const text of texts) {
    expect(text).toMatch(/^No finished race to show\. .*wait for one that runs.*If a query failed, .* why\.$/);
  }
});

describe('the rows that ask Prometheus itself', () => {
  const asked = (name: string) => {
    const [found] = dashboards.filter((one) => one.name === name);
    return (found?.panels ?? []).flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => (expr === undefined ? [] : [expr])));
  };

  it('show what people find in other dashboards for k6', () => {
    const all = asked('k6.json').join('\n');
    const times = ['blocked', 'connecting', 'tls_handshaking', 'sending', 'waiting', 'receiving', 'duration'];
    for (const part of times.map((part) => `k6_http_req_${part}_seconds`)) {
      expect(all).toContain(part);
    }
    for (const series of [
      'k6_checks_rate',
      'k6_iterations_total',
      'k6_dropped_iterations_total',
      'k6_iteration_duration',
      'k6_vus',
      'k6_group_duration',
    ]) {
      expect(all).toContain(series);
    }
  });

  it('show what people find in other dashboards for cAdvisor', () => {
    const all = asked('cadvisor.json').join('\n');
    const cpu = ['cpu_usage', 'cpu_user', 'cpu_system', 'cpu_cfs_throttled', 'spec_cpu_quota', 'pressure_cpu_waiting'];
    const memory = ['memory_working_set', 'memory_rss', 'memory_cache', 'memory_swap', 'spec_memory_limit', 'oom_events', 'memory_failcnt'];
    const network = ['receive_bytes', 'transmit_bytes', 'receive_packets_dropped', 'receive_errors'].map((one) => `network_${one}`);
    const others = [
      'fs_reads_bytes',
      'fs_writes_bytes',
      'fs_usage_bytes',
      'start_time',
      'processes',
      'threads',
      'file_descriptors',
      'sockets',
    ];
    for (const series of [...cpu, ...memory, ...network, ...others]) {
      expect(all).toContain(`container_${series}`);
    }
    expect(all).toContain('machine_cpu_cores');
  });

  it('leave the warm-up out of what they sum up over whole tests', () => {
    const whole = asked('k6.json').filter((expr) => expr.includes('[$__range]'));
    expect(whole.length).toBeGreaterThan(10);
    for (const expr of whole) {
      expect(expr).toContain('phase!="warmup"');
    }
  });

  it('leave the warm-up out of responses over time, which come in its first push all at once', () => {
    const all = asked('k6.json').filter((expr) => /k6_http_reqs_total\{.*\[5m\] offset/.test(expr));
    const responses = all.filter((expr) => !expr.includes('expected_response'));
    expect(responses.length).toBe(1);
    for (const selected of responses.flatMap((expr) => expr.split('k6_http_reqs_total').slice(1))) {
      expect(selected).toContain('phase!="warmup"');
    }
  });

  it('see failures and dropped iterations of a first and a last push, which rate() does not', () => {
    const rare = asked('k6.json').filter((expr) => /k6_(dropped_iterations|http_reqs)_total\{.*\[5m\] offset/.test(expr));
    expect(rare.length).toBe(3);
    for (const expr of rare) {
      expect(expr).not.toMatch(/rate\(|increase\(/);
    }
    expect(asked('k6.json').filter((expr) => /rate\(k6_(dropped|http_reqs_total\{.*expected_response="false")/.test(expr))).toEqual([]);
  });
});

describe('the alert rules', () => {
  const rules = readFileSync(join(provisioned, 'alerting', 'photofinish.yaml'), 'utf8');
  const all = (pattern: RegExp) => [...rules.matchAll(pattern)].map(([, found]) => found);

  it('are quiet without numbers, and look back one day', () => {
    const count = all(/^ {6}- uid: (\S+)$/gm).length;
    expect(count).toBe(4);
    expect(all(/noDataState: (\S+)/g)).toEqual(Array(count).fill('OK'));
    expect(all(/execErrState: (\S+)/g)).toEqual(Array(count).fill('Error'));
    expect(new Set(all(/relativeTimeRange: \{ from: (\d+)/g))).toEqual(new Set(['86400']));
  });

  it('lead to the finish of the provisioned dashboard', () => {
    const [race] = dashboards.filter(({ name }) => name === 'race.json');
    const finish = race?.panels.find(({ type }) => type === 'photofinish-finish-panel');
    expect(new Set(all(/panelId: (\d+)/g))).toEqual(new Set([String(finish?.id)]));
    expect(new Set(all(/dashboardUid: (\S+)/g))).toEqual(new Set(['photofinish-race-provisioned']));
    expect(uids.map((uid) => `${uid}-provisioned`)).toEqual(expect.arrayContaining(all(/\/d\/([\w-]+)/g)));
  });

  it('ask a data source that is provisioned', () => {
    const sources = readFileSync(join(provisioned, 'datasources', 'photofinish.yaml'), 'utf8');
    for (const uid of new Set(all(/datasourceUid: (\S+)/g).filter((uid) => uid !== '__expr__'))) {
      expect(sources).toContain(`uid: ${uid}\n`);
    }
  });

  it('leave it to the user whom to tell', () => {
    expect(rules).not.toMatch(/notification_settings|receiver|contactPoint/);
  });
});
