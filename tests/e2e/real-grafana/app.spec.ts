import { expect, source, test } from './fixtures';

const app = 'photofinish-race-app';

test('the app’s first page checks the set-up, and leads to dashboards and races', async ({ gotoAppPage, page, race }) => {
  await gotoAppPage({ pluginId: app });
  const setUp = page.getByRole('region', { name: /^Set-up of/ }).first();
  await expect(setUp.getByRole('listitem').filter({ hasText: 'Prometheus' }).first()).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Dashboards' })).toBeVisible();
  await page.getByRole('link', { name: race.name || race.id }).first().click();
  await expect(page).toHaveURL(/\/d\/photofinish-/);
});

test('the app’s configuration leads to its data source', async ({ page }) => {
  await page.goto(`/plugins/${app}`);
  await expect(page.getByRole('link', { name: /Settings|Photofinish/ }).first()).toBeVisible();
  await page.goto(`/connections/datasources/edit/${source}`);
  await expect(page.getByRole('textbox', { name: 'Runner URL' })).toBeVisible();
});
