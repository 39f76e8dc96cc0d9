import { expect, it } from 'vitest';

import { answers, becomes, focusNext, open, scene, type, aroundTests, written } from './browser';

aroundTests();

it('the settings reach a Prometheus behind a password and a tenant, and each step says what is missing', async () => {
  const { guarded } = await scene();
  const page = await open('config', {}, { failing: true });
  const test = page.getByRole('button', { name: 'Save & test' });
  await test.click();
  await answers(page, /no address of a Prometheus.*enter the address/s);

  await page.getByRole('textbox', { name: 'Prometheus URL' }).fill(guarded);
  await test.click();
  await answers(page, /401/);

  await page.getByRole('switch', { name: 'Basic auth' }).check({ force: true });
  await page.getByPlaceholder('user').fill('grafana');
  await page.getByPlaceholder('Password').fill('s3cret');
  await test.click();
  await answers(page, /no org id|422/);

  await page.getByRole('button', { name: 'Add header' }).click();
  await page.getByPlaceholder('X-Custom-Header').fill('X-Scope-OrgID');
  await page.getByPlaceholder('Header Value').fill('team-a');
  await page.getByPlaceholder('Header Value').blur();
  await becomes(page, { jsonData: { httpHeaderName1: 'X-Scope-OrgID' }, secureJsonData: { httpHeaderValue1: 'team-a' } });
  await test.click();
  await answers(page, /^Prometheus answers\./);
});

it('TLS is believed by the authority that is given, and not without', async () => {
  const { encrypted, authority } = await scene();
  const login = { basicAuth: true, basicAuthUser: 'grafana', secureJsonData: { basicAuthPassword: 's3cret', httpHeaderValue1: 'team-a' } };
  const page = await open('config', { ...login, url: encrypted, jsonData: { httpHeaderName1: 'X-Scope-OrgID' } }, { failing: true });
  const test = page.getByRole('button', { name: 'Save & test' });
  await test.click();
  await answers(page, /certificate/);
  await page.getByRole('switch', { name: 'With CA Cert' }).check({ force: true });
  await page.getByPlaceholder(/BEGIN CERTIFICATE/).fill(authority);
  await becomes(page, { jsonData: { tlsAuthWithCACert: true }, secureJsonData: { tlsCACert: authority } });
  await test.click();
  await answers(page, /^Prometheus answers\./);
});

it('the runner, its token, labels and containers are entered with the keyboard', async () => {
  const { prometheus } = await scene();
  const page = await open('config', { url: prometheus }, { failing: true });
  await focusNext(page, page.getByRole('textbox', { name: 'Runner URL' }));
  await type(page, 'http://127.0.0.1:1');
  await focusNext(page, page.getByLabel('Runner token'));
  await type(page, 'open sesame');
  await becomes(page, { jsonData: { runnerUrl: 'http://127.0.0.1:1' }, secureJsonData: { runnerToken: 'open sesame' } });

  await focusNext(page, page.getByRole('button', { name: 'Change the app labels' }));
  await page.keyboard.press('Enter');
  await focusNext(page, page.getByRole('button', { name: 'Move label 1 down' }));
  await page.keyboard.press('Enter');
  await focusNext(page, page.getByRole('button', { name: 'Name an app’s container' }));
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: 'k6 app' }).focus();
  await type(page, 'control');
  await focusNext(page, page.getByRole('textbox', { name: 'is container' }));
  await type(page, 'shop-1');
  await becomes(page, { jsonData: { appMap: { control: 'shop-1' } } });
  const { jsonData } = (await written(page)) as { jsonData: { appLabels: string[] } };
  expect(jsonData.appLabels.slice(0, 2)).toEqual(['container_label_com_docker_compose_service', 'container_label_photofinish_app']);

  await focusNext(page, page.getByRole('button', { name: 'Save & test' }));
  await page.keyboard.press('Enter');
  await answers(page, /runner/);
});

it('a time limit that is emptied again is none', async () => {
  const { prometheus } = await scene();
  const page = await open('config', { url: prometheus, jsonData: { timeout: 5 } });
  await page.getByPlaceholder('Timeout in seconds').fill('');
  await page.getByRole('button', { name: 'Save & test' }).click();
  await answers(page, /^Prometheus answers\./);
});

it('settings of a file are shown and not to be changed', async () => {
  const page = await open('config', { url: 'http://mimir', readOnly: true, jsonData: { appLabels: ['pod'], appMap: { control: 'shop-1' } } });
  for (const name of ['Prometheus URL', 'Runner URL', 'App label 1', 'k6 app', 'is container']) {
    expect(await page.getByRole('textbox', { name }).isDisabled(), name).toBe(true);
  }
});
