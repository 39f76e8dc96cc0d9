import { PluginIncludeType } from '@grafana/data';
import { describe, expect, it } from 'vitest';

import { dashboardsOf, raceHref, readFound } from './contents';

const includes = [
  { type: PluginIncludeType.page, name: 'Overview' },
  { type: PluginIncludeType.panel, name: 'Track' },
  { type: PluginIncludeType.dashboard, name: 'Photofinish: Race' },
  { type: PluginIncludeType.dashboard, name: 'Photofinish: Races' },
];
const found = readFound([{ title: 'Photofinish: Race', url: '/d/x/race', uid: 'x' }, { title: 'Somebody else’s' }, 'nonsense']);

describe('the dashboards of the app', () => {
  it('are linked where they are found', () => {
    expect(dashboardsOf(includes, found)).toEqual([{ name: 'Photofinish: Race', href: '/d/x/race' }, { name: 'Photofinish: Races' }]);
  });

  it('an app that brings none is no error', () => {
    expect(dashboardsOf(undefined, [])).toEqual([]);
    expect(readFound('nonsense')).toEqual([]);
  });
});

describe('the link to a race', () => {
  const dashboards = dashboardsOf(includes, found);

  it('shows the whole of it', () => {
    expect(raceHref(dashboards, { id: 'r1', startedAt: 100_000, finishedAt: 200_000 })).toBe('/d/x/race?var-race=r1&from=95000&to=205000');
  });

  it('goes on while it runs, and names no time before it starts', () => {
    expect(raceHref(dashboards, { id: 'r1', startedAt: 100_000 })).toBe('/d/x/race?var-race=r1&from=95000&to=now');
    expect(raceHref(dashboards, { id: 'r1' })).toBe('/d/x/race?var-race=r1');
  });

  it('is none where the dashboard is not', () => {
    expect(raceHref(dashboardsOf(includes, []), { id: 'r1' })).toBeUndefined();
  });
});
