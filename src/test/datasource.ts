import { type DataQueryRequest, type DataSourceInstanceSettings, FieldType, PluginType, toDataFrame } from '@grafana/data';
import type { TemplateSrv } from '@grafana/runtime';
import { of } from 'rxjs';
import { vi } from 'vitest';

import { DataSource } from '../datasource/DataSource';
import type { RaceQuery } from '../shared/query';
import type { RaceSettings } from '../shared/settings';

const info = {
  author: { name: '' },
  description: '',
  links: [],
  logos: { large: '', small: '' },
  screenshots: [],
  updated: '',
  version: '',
};

export const settings: DataSourceInstanceSettings<RaceSettings> = {
  id: 1,
  uid: 'pf',
  type: 'photofinish-race-datasource',
  name: 'Photofinish',
  access: 'proxy',
  readOnly: false,
  jsonData: {},
  meta: { id: 'photofinish-race-datasource', name: 'Photofinish', type: PluginType.datasource, info, module: '', baseUrl: '' },
};

/** Answers of the resource calls by their path; an Error is a call that fails, a function answers by the call's parameters. */
export type Answers = Record<string, unknown>;

export const answers: Answers = {
  capabilities: { runner: true },
  measures: [
    {
      id: 'latency_p95',
      name: 'p95 latency',
      unit: 'ms',
      better: 'lower',
      source: 'client',
      primary: true,
      description: '95% took at most this.',
    },
    {
      id: 'cpu_cores',
      name: 'CPU',
      unit: 'cores',
      better: 'lower',
      source: 'container',
      primary: false,
      description: 'CPU seconds per second.',
    },
  ],
  races: {
    races: [
      {
        id: 'runner-race',
        name: 'nightly',
        status: 'finished',
        started_at: '2026-01-01T00:00:00Z',
        finished_at: '2026-01-01T00:01:00Z',
        baseline: 'old',
        lanes: [{ app: 'new' }, { app: 'old' }],
      },
    ],
  },
  apps: ['control', 'high-latency'],
};

/** The real data source with a back end that gives fixed answers, and with these template variables. */
export function dataSource(resources: Answers = answers, variables: Record<string, string | string[]> = {}) {
  const templates = {
    getVariables: () => Object.entries(variables).map(([name, value]) => ({ name, current: { value } })),
    replace: (text: string, _scoped: unknown, format: (value: unknown) => string) => {
      const name = text.replace(/^\$\{(.*)\}$/, '$1');
      return name in variables ? format(variables[name]) : text;
    },
  };
  // The two methods that are used.
  const datasource = new DataSource(settings, templates as unknown as TemplateSrv);
  const getResource = vi.spyOn(datasource, 'getResource').mockImplementation(async (path: string, params?: object) => {
    const given = resources[path];
    const answer: unknown = typeof given === 'function' ? given(params) : given;
    if (answer instanceof Error) {
      throw answer;
    }
    return answer;
  });
  const query = vi.spyOn(datasource, 'query').mockImplementation((_request: DataQueryRequest<RaceQuery>) =>
    of({
      data: [
        toDataFrame({
          fields: [
            { name: 'id', type: FieldType.string, values: ['ab2'] },
            { name: 'status', type: FieldType.string, values: ['finished'] },
            { name: 'started_at', type: FieldType.time, values: [Date.UTC(2026, 1)] },
            { name: 'finished_at', type: FieldType.time, values: [Date.UTC(2026, 1) + 60_000] },
            { name: 'apps', type: FieldType.string, values: ['control, high-latency'] },
          ],
        }),
      ],
    })
  );
  return { datasource, getResource, query };
}
