import { CoreApp, type DataQueryRequest, dateTime, type MetricFindValue, type TimeRange } from '@grafana/data';
import { lastValueFrom, of } from 'rxjs';
import { describe, expect, it } from 'vitest';

import { latest, newAlertQuery, newQuery } from '../shared/query';
import type { VariableQuery } from '../shared/variableQuery';
import { answers, dataSource } from '../test/datasource';
import { lastDay } from './range';
import { RaceVariables } from './variableSupport';

describe('the data source', () => {
  it('starts a panel with p95 and an alert rule with what regressed', () => {
    const { datasource } = dataSource();
    expect(datasource.getDefaultQuery(CoreApp.PanelEditor)).toBe(newQuery);
    expect(datasource.getDefaultQuery(CoreApp.UnifiedAlerting)).toBe(newAlertQuery);
  });

  it('puts values in for variables, on the way to the back end and on the way to Explore', () => {
    const { datasource } = dataSource(answers, { app: ['a', 'b'], every: '$__all' });
    const query = { refId: 'A', apps: ['$app'], measures: ['$every'], races: [latest] };
    const want = { refId: 'A', apps: ['a', 'b'], measures: [], races: [latest] };
    expect(datasource.applyTemplateVariables(query)).toEqual(want);
    expect(datasource.interpolateVariablesInQueries([query], {})).toEqual([{ ...want, datasource: datasource.getRef() }]);
  });

  it('asks for every column of what goes on live', () => {
    expect(dataSource().datasource.applyTemplateVariables({ refId: 'A', queryType: 'live' })).toMatchObject({ field: 'all' });
  });

  it('lists the races of the runner and of the time range together', async () => {
    const { datasource } = dataSource();
    expect((await datasource.races(lastDay())).map((race) => race.id)).toEqual(['ab2', 'runner-race']);
  });

  it('lists the races of the time range where there is no runner, which is not asked', async () => {
    const { datasource, getResource } = dataSource({ ...answers, capabilities: { runner: false } });
    expect((await datasource.races(lastDay())).map((race) => race.id)).toEqual(['ab2']);
    expect(getResource).not.toHaveBeenCalledWith('races', expect.anything(), expect.anything());
  });

  it('lists the races of the time range where the runner does not answer', async () => {
    const { datasource } = dataSource({ ...answers, races: new Error('502') });
    expect((await datasource.races(lastDay())).map((race) => race.id)).toEqual(['ab2']);
  });

  it.each([
    ['without a runner', { ...answers, capabilities: { runner: false } }],
    ['where the runner does not answer either', { ...answers, races: new Error('502') }],
  ])('says why where no races can be listed at all, %s', async (_name, resources) => {
    const { datasource, query } = dataSource(resources);
    query.mockReturnValue(of({ data: [], errors: [{ message: 'Prometheus does not answer' }] }));
    await expect(datasource.races(lastDay())).rejects.toThrow('Prometheus does not answer');
  });

  it('knows the apps of a listed race without asking, and asks for those of another', async () => {
    const { datasource, getResource } = dataSource();
    const listed = await datasource.races(lastDay());
    getResource.mockClear();
    expect(await datasource.appsOf(['runner-race'], listed)).toEqual(['new', 'old']);
    expect(await datasource.appsOf([latest], listed)).toEqual(['control', 'high-latency']);
    expect(getResource).not.toHaveBeenCalled();
    expect(await datasource.appsOf(['long-ago', 'runner-race'], listed)).toEqual(['control', 'high-latency', 'new', 'old']);
    expect(getResource).toHaveBeenCalledWith('apps', { race: 'long-ago' }, expect.anything());
  });

  it('tells a query in one line', () => {
    expect(dataSource().datasource.getQueryDisplayText({ refId: 'A', ...newQuery })).toBe('timeseries · latency_p95 · $latest');
  });

  it('has the measures of the contract where races cannot be asked for theirs', async () => {
    const measures = (params?: { race?: string }) => {
      if (params?.race === 'gone') {
        throw new Error('404');
      }
      return params?.race === 'ab2' ? [{ id: 'checkout_time_p95', source: 'script' }] : answers.measures;
    };
    const { datasource, getResource } = dataSource({ ...answers, measures });
    const ids = async (races: string[]) => (await datasource.measuresOf(races, [])).map(({ id }) => id);
    expect(await ids(['ab2'])).toEqual(['latency_p95', 'cpu_cores', 'checkout_time_p95']);
    expect(await ids(['gone', 'ab2', 'ab2'])).toEqual(['latency_p95', 'cpu_cores', 'checkout_time_p95']);
    expect(await ids([latest])).toEqual(['latency_p95', 'cpu_cores']);
    getResource.mockClear();
    await ids(Array.from({ length: 30 }, (_, i) => `race-${i}`));
    expect(getResource).toHaveBeenCalledTimes(5);
  });

  it('asks for the measures once, and again after a failure', async () => {
    const resources = { ...answers, measures: new Error('502') as unknown };
    const { datasource, getResource } = dataSource(resources);
    await expect(datasource.measures()).rejects.toThrow('502');
    resources.measures = answers.measures;
    await datasource.measures();
    expect((await datasource.measures()).map((m) => m.id)).toEqual(['latency_p95', 'cpu_cores']);
    expect(getResource).toHaveBeenCalledTimes(2);
  });
});

describe('annotations', () => {
  it('ask for events, whatever was stored', () => {
    const { datasource } = dataSource();
    const annotation = { name: 'n', enable: true, iconColor: 'red', target: { refId: 'X', queryType: 'races' as const, races: ['r'] } };
    expect(datasource.annotations?.prepareQuery?.(annotation)).toEqual({ refId: 'X', queryType: 'events', races: ['r'] });
  });
});

describe('variables', () => {
  const until = (end: string): TimeRange => {
    const [from, to] = [dateTime('2025-12-31T00:00:00Z'), dateTime(end)];
    return { from, to, raw: { from, to } };
  };
  const values = async (target: Partial<VariableQuery>, variables = {}, resources = answers, range = until('2036-01-01T00:00:00Z')) => {
    const { datasource } = dataSource(resources, variables);
    const request = { targets: [{ refId: 'v', ...target }], range, scopedVars: {} } as Partial<DataQueryRequest<VariableQuery>>;
    const { data } = await lastValueFrom(new RaceVariables(datasource).query(request as DataQueryRequest<VariableQuery>));
    return data.map((one: MetricFindValue) => one.value);
  };

  it.each<[string, Partial<VariableQuery>, Record<string, string | string[]>, string[]]>([
    ['of races begin with the newest', { kind: 'races' }, {}, [latest, 'ab2', 'runner-race']],
    ['of races hold those of a name', { kind: 'races', name: '$n' }, { n: 'nightly' }, [latest, 'runner-race']],
    ['of measures are their ids', { kind: 'measures' }, {}, ['latency_p95', 'cpu_cores']],
    ['of apps are those of the newest race', { kind: 'apps' }, {}, ['control', 'high-latency']],
    ['of apps are those of the race that another variable names', { kind: 'apps', race: '$r' }, { r: 'ab2' }, ['control', 'high-latency']],
    ['of names are each once', { kind: 'names' }, {}, ['nightly']],
    ['of baselines begin with the recorded one', { kind: 'baselines', race: 'runner-race' }, {}, ['old', 'new']],
    ['of baselines of a race that names none are its apps', { kind: 'baselines', race: 'ab2' }, {}, ['control', 'high-latency']],
    ['of an unknown kind are races', { kind: 'nonsense' as never }, {}, [latest, 'ab2', 'runner-race']],
    ['of apps are those of every race for All', { kind: 'apps', race: '$r' }, { r: '$__all' }, ['control', 'high-latency', 'new', 'old']],
  ])('%s', async (_name, target, variables, want) => {
    expect(await values(target, variables)).toEqual(want);
  });

  it('are those of the newest race that ended within the time range, which the panels show', async () => {
    const early = (target: Partial<VariableQuery>, end: string) => values(target, { every: '$__all' }, answers, until(end));
    expect(await early({ kind: 'apps' }, '2026-01-01T00:02:00Z')).toEqual(['new', 'old']);
    expect(await early({ kind: 'baselines' }, '2026-01-01T00:02:00Z')).toEqual(['old', 'new']);
    expect(await early({ kind: 'apps', race: '$every' }, '2026-01-01T00:02:00Z')).toEqual(['new', 'old']);
    expect(await early({ kind: 'apps' }, '2026-01-01T00:00:30Z')).toEqual([]);
  });

  it('of measures hold those that the race has of its own', async () => {
    const measures = (params?: { race?: string }) =>
      params?.race === 'ab2' ? [{ id: 'checkout_time_p95', source: 'script' }] : answers.measures;
    const resources = { ...answers, measures } as unknown as typeof answers;
    expect(await values({ kind: 'measures', race: '$r' }, { r: 'ab2' }, resources)).toEqual([
      'latency_p95',
      'cpu_cores',
      'checkout_time_p95',
    ]);
    expect(await values({ kind: 'measures', race: 'runner-race' }, {}, resources)).toEqual(['latency_p95', 'cpu_cores']);
  });

  it('of baselines before the first race leave the choice to the race', async () => {
    expect(await values({ kind: 'baselines', name: 'nobody' })).toEqual(['']);
  });
});
