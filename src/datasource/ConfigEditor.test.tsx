import { type DataSourceSettings } from '@grafana/data';
import { render, screen } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import React, { useState } from 'react';
import { describe, expect, it } from 'vitest';

import { defaultAppLabels, type RaceSecrets, type RaceSettings } from '../shared/settings';
import { ConfigEditor } from './ConfigEditor';

type Settings = DataSourceSettings<RaceSettings, RaceSecrets>;

const empty: Settings = {
  id: 1,
  uid: 'pf',
  orgId: 1,
  name: 'Photofinish',
  typeLogoUrl: '',
  type: 'photofinish-race-datasource',
  typeName: '',
  access: 'proxy',
  url: '',
  user: '',
  database: '',
  basicAuth: false,
  basicAuthUser: '',
  isDefault: false,
  jsonData: {},
  secureJsonFields: {},
  readOnly: false,
  withCredentials: false,
};

/** Shows the editor as Grafana does, which keeps the settings, and tells what they became. */
function show(settings: Partial<Settings> = {}) {
  let now: Settings = { ...empty, ...settings };
  const Grafana = () => {
    const [options, setOptions] = useState(now);
    now = options;
    return <ConfigEditor options={options} onOptionsChange={setOptions} />;
  };
  render(<Grafana />);
  return { user: userEvent.setup(), settings: () => now };
}

describe('the settings', () => {
  it('hold the address of Prometheus where Grafana keeps it', async () => {
    const { user, settings } = show();
    await user.type(screen.getByPlaceholderText('http://localhost:9090'), 'http://mimir');
    expect(settings().url).toBe('http://mimir');
  });

  it('hold the runner and its token, the token among the secrets', async () => {
    const { user, settings } = show();
    await user.type(screen.getByLabelText('Runner URL'), 'http://localhost:8737');
    await user.type(screen.getByLabelText('Runner token'), 's3cret');
    expect(settings().jsonData).toEqual({ runnerUrl: 'http://localhost:8737' });
    expect(settings().secureJsonData).toEqual({ runnerToken: 's3cret' });
  });

  it('never show a token that is set, and can reset it', async () => {
    const { user, settings } = show({ secureJsonFields: { runnerToken: true } });
    const token = screen.getByLabelText<HTMLInputElement>('Runner token');
    expect(token.disabled).toBe(true);
    await user.click(screen.getByRole('button', { name: 'Reset' }));
    expect(settings().secureJsonFields.runnerToken).toBe(false);
  });

  it('hold the HTTP method', async () => {
    const { user, settings } = show();
    expect(screen.getByRole<HTMLInputElement>('radio', { name: 'POST' }).checked).toBe(true);
    await user.click(screen.getByRole('radio', { name: 'GET' }));
    expect(settings().jsonData.httpMethod).toBe('GET');
  });

  it('start the app labels from the defaults and reorder them by buttons', async () => {
    const { user, settings } = show();
    await user.click(screen.getByRole('button', { name: 'Change the app labels' }));
    expect(settings().jsonData.appLabels).toEqual(defaultAppLabels);
    await user.click(screen.getByRole('button', { name: 'Move label 2 up' }));
    await user.click(screen.getByRole('button', { name: 'Remove label 5' }));
    const [own, compose, container, pod] = defaultAppLabels;
    expect(settings().jsonData.appLabels).toEqual([compose, own, container, pod]);
  });

  it('hold no empty list of app labels: the back end’s defaults count again', async () => {
    const { user, settings } = show({ jsonData: { appLabels: ['pod'] } });
    await user.click(screen.getByRole('button', { name: 'Remove label 1' }));
    expect(settings().jsonData.appLabels).toBeUndefined();
  });

  it('map an app to its container once the row is whole', async () => {
    const { user, settings } = show();
    await user.click(screen.getByRole('button', { name: 'Name an app’s container' }));
    await user.type(screen.getByLabelText('k6 app'), 'control');
    expect(settings().jsonData.appMap).toBeUndefined();
    await user.type(screen.getByLabelText('is container'), 'shop-1');
    expect(settings().jsonData.appMap).toEqual({ control: 'shop-1' });
  });

  it('cannot be changed where they are provisioned', () => {
    show({ readOnly: true, jsonData: { appLabels: ['pod'], appMap: { control: 'shop-1' } } });
    for (const field of [
      ...screen.getAllByRole<HTMLInputElement>('textbox'),
      ...screen.getAllByRole<HTMLButtonElement>('button', { name: /label|container/i }),
    ]) {
      expect(field.disabled || field.ariaDisabled === 'true', field.outerHTML).toBe(true);
    }
  });
});
