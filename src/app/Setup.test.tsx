import { config, setBackendSrv, setDataSourceSrv, type BackendSrv, type BackendSrvRequest, type DataSourceSrv } from '@grafana/runtime';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';
import { of, throwError } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';

import { Setup } from './Setup';

const parts = (runner: boolean) => [
  { name: 'Prometheus', ok: true, required: true, message: 'answers' },
  { name: 'runner', ok: runner, required: true, message: runner ? 'version 1' : 'the runner cannot be reached' },
];
let runner = false;

/** The health check answers 400 where a part is wanting, and says which. */
function answer({ url }: BackendSrvRequest) {
  if (url.endsWith('/resources/capabilities')) {
    return of({ data: { canStart: runner, reason: '', runner: true } });
  }
  const health = { status: runner ? 'OK' : 'ERROR', message: '', details: { parts: parts(runner) } };
  return runner ? of({ data: health }) : throwError(() => ({ status: 400, data: health, config: {} }));
}

function grafana(sources: string[], orgRole: string): void {
  setBackendSrv({ fetch: answer } as unknown as BackendSrv);
  setDataSourceSrv({ getList: () => sources.map((uid) => ({ uid, name: uid })) } as unknown as DataSourceSrv);
  config.bootData = { ...config.bootData, user: { orgRole } as typeof config.bootData.user };
}

beforeEach(() => {
  runner = false;
});

describe('before there is a data source', () => {
  it('an administrator has one button', () => {
    grafana([], 'Admin');
    render(<Setup />);
    expect(screen.getByRole('link', { name: 'Add a data source' }).getAttribute('href')).toBe(
      '/connections/datasources/photofinish-race-datasource'
    );
  });

  it('another user reads whom to ask', () => {
    grafana([], 'Editor');
    render(<Setup />);
    expect(screen.queryByRole('link')).toBeNull();
    expect(screen.getByText(/Ask an administrator/)).toBeTruthy();
  });
});

describe('each data source', () => {
  it('is checked part by part, and again when asked', async () => {
    grafana(['one', 'two'], 'Admin');
    render(<Setup />);
    const one = await screen.findByRole('region', { name: 'Set-up of one' });
    expect(await screen.findAllByText('The runner cannot be reached.')).toHaveLength(2);
    expect(one.querySelector('a')?.getAttribute('href')).toBe('/connections/datasources/edit/one');
    runner = true;
    await userEvent.click(screen.getAllByRole('button', { name: 'Check again' })[0] as HTMLElement);
    expect(await screen.findByText('You may start and stop races.')).toBeTruthy();
    expect(screen.getAllByText('The runner cannot be reached.')).toHaveLength(1);
  });

  it('offers its settings to administrators only', async () => {
    grafana(['one'], 'Viewer');
    render(<Setup />);
    await screen.findByText('The runner cannot be reached.');
    expect(screen.queryByRole('link', { name: 'Settings' })).toBeNull();
  });
});
