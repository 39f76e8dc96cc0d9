import { expect, it } from 'vitest';

import { aroundTests, open } from '../browser';

aroundTests();

interface Told {
  tell: (events: number) => void;
  fail: (message: string) => void;
}

it('a track whose stream breaks stands, says for how long, and goes on when it is back', async () => {
  const page = await open('track/live');
  const place = () => page.locator('[data-app=control] [data-part=runner]').evaluate((element) => element.getBoundingClientRect().left);
  await page.locator('[data-app=control]').waitFor();
  await page.waitForTimeout(300);
  const before = await place();
  await page.evaluate(() => (window as unknown as Told).fail('stream closed'));
  await expect.poll(() => page.getByText(/^No news for/).count(), { timeout: 9000 }).toBe(1);
  expect(await place()).toBe(before);
  await page.evaluate(() => (window as unknown as Told).tell(4));
  await expect.poll(place).toBeGreaterThan(before);
  expect(await page.getByText(/^No news for/).count()).toBe(0);
});

it('a finish whose data source is deleted while it is open stands', async () => {
  const page = await open('finish/race');
  const result = page.getByRole('list', { name: 'Result' });
  const before = await result.textContent();
  await page.evaluate(() => (window as unknown as Told).fail('Data source not found'));
  await page.waitForTimeout(300);
  expect(await result.textContent()).toBe(before);
});

it.each(['track', 'finish'])('a %s whose data source is gone from the beginning says so', async (panel) => {
  const page = await open(`${panel}/gone`);
  await page.getByText('The race cannot be asked for').waitFor();
  await page.getByText('Data source not found').waitFor();
});

it('a control whose data source is gone says so, and what to do', async () => {
  const page = await open('control/gone');
  await page.getByText(/The data source is not there any more\. Choose another one/).waitFor();
});
