import { PluginIncludeType } from '@grafana/data';
import { expect, it } from 'vitest';

import { contentsOf } from './contents';

it('the overview names what the app brings and leaves pages out', () => {
  const includes = [
    { type: PluginIncludeType.page, name: 'Overview' },
    { type: PluginIncludeType.datasource, name: 'Source' },
    { type: PluginIncludeType.panel, name: 'Track' },
    { type: PluginIncludeType.dashboard, name: 'Standings' },
  ];
  expect(contentsOf(includes)).toEqual([
    { name: 'Source', kind: 'Data source', href: '/connections/datasources/photofinish-race-datasource', action: 'Add a data source' },
    { name: 'Track', kind: 'Panel' },
    { name: 'Standings', kind: 'Dashboard' },
  ]);
});

it('an app that brings nothing is no error', () => {
  expect(contentsOf(undefined)).toEqual([]);
});
