import { addressOf, expect, panelErrors, test } from './fixtures';

const dashboards = ['race', 'races', 'heats', 'k6', 'cadvisor'];

for (const name of dashboards) {
  // Imported when the app is enabled, and provisioned.
  for (const uid of [`photofinish-${name}`, `photofinish-${name}-provisioned`]) {
    test(`no panel of ${uid} has an error`, async ({ page, race }) => {
      await page.goto(addressOf(uid, race));
      expect(await panelErrors(page)).toEqual([]);
    });
  }
}

test('the three panels of the Race dashboard show a race', async ({ gotoDashboardPage, page, race }) => {
  const from = String(Date.parse(race.started_at) - 5000);
  const to = String(Date.parse(race.finished_at) + 5000);
  const uid = 'photofinish-race-provisioned';
  const dashboard = await gotoDashboardPage({ uid, timeRange: { from, to }, queryParams: new URLSearchParams({ 'var-race': race.id }) });
  const panel = (title: string) => dashboard.getPanelByTitle(title).locator;
  await expect(panel('Control').getByText(/Start race|needs the role|runner/).first()).toBeVisible();
  await expect(panel('Track').getByRole('table', { name: /^Lanes of/ })).toBeVisible();
  await expect(panel('Track').getByRole('row').nth(2)).toBeVisible();
  await page.mouse.wheel(0, 900);
  await expect(panel('Finish').getByRole('list', { name: 'Result' })).toBeVisible();
  await expect(panel('Finish').getByRole('img', { name: /Distributions/ })).toBeVisible();
});

test('before the first race the Race dashboard says what to do', async ({ page }) => {
  const long = { from: String(Date.UTC(2001, 0, 1)), to: String(Date.UTC(2001, 0, 2)) };
  await page.goto(`/d/photofinish-race-provisioned?${new URLSearchParams(long)}`);
  expect(await panelErrors(page)).toEqual([]);
});
