import type { Page, Response } from '@playwright/test';

import { expect, source, test } from './fixtures';

const type = 'photofinish-race-datasource';

/** The next answer to a query of standings. */
function standings(page: Page): Promise<Response> {
  return page.waitForResponse((answer) => (answer.request().postData() ?? '').includes('"queryType":"standings"'));
}

test('settings are saved and tested, and a wrong address is named', async ({ createDataSourceConfigPage, request, page }) => {
  const { url } = await (await request.get(`/api/datasources/uid/${source}`)).json();
  const config = await createDataSourceConfigPage({ type });
  await page.getByRole('textbox', { name: 'Prometheus URL' }).fill('http://127.0.0.1:1');
  await expect(config.saveAndTest()).not.toBeOK();
  await expect(config).toHaveAlert('error');
  await page.getByRole('textbox', { name: 'Prometheus URL' }).fill(url);
  // Grafana may hold settings for five seconds.
  await expect(async () => expect((await config.saveAndTest()).ok()).toBe(true)).toPass({ timeout: 30_000 });
  await expect(config).toHaveAlert('success');
});

test('Explore shows the standings of a race', async ({ page, race }) => {
  const left = { datasource: source, queries: [{ refId: 'A', queryType: 'races', races: [race.id] }], range: { from: 'now-7d', to: 'now' } };
  await page.goto(`/explore?${new URLSearchParams({ schemaVersion: '1', panes: JSON.stringify({ one: left }) })}`);
  // By the keyboard. In Explore a Combobox of Grafana's 12.2.0, ours or of its own Prometheus editor, may render without end (React's
  // error 185) while the mouse rests on its open list. The next test chooses with the mouse.
  const types = page.getByRole('combobox', { name: 'Query type', exact: true });
  await types.fill('Standings');
  await expect(page.getByRole('option')).toHaveText([/^Standings/]);
  await types.press('ArrowDown');
  const answered = standings(page);
  await types.press('Enter'); // the editor runs the query
  expect((await answered).ok()).toBe(true);
  await expect(page.getByRole('columnheader', { name: 'rank' })).toBeVisible();
});

test('a panel is given a query of standings', async ({ panelEditPage, page, race }) => {
  await panelEditPage.datasource.set('Photofinish');
  await expect(() => panelEditPage.setVisualization('Table')).toPass({ timeout: 60_000 }); // which by itself gives up after 15 s
  await panelEditPage.timeRange.set({ from: race.started_at.slice(0, 10), to: 'now' });
  await page.getByRole('combobox', { name: 'Query type', exact: true }).click();
  const answered = standings(page);
  await page.getByRole('option', { name: /^Standings/ }).click(); // the editor runs the query
  expect((await answered).ok()).toBe(true);
  await expect(panelEditPage.panel.fieldNames).toContainText(['app', 'rank']);
});
