import type { Page } from 'playwright-core';
import { beforeEach, expect, it } from 'vitest';

import { aroundTests, focusNext, open, type } from '../browser';

const base = process.env.PHOTOFINISH_E2E_URL;

aroundTests();

interface Scene {
  login?: string;
  role?: string;
  gone?: boolean;
  runner?: '' | 'down' | 'lossy';
}

/** Who is logged in, whether the data source is there, and how the network to the runner is. */
async function scene(change: Scene = {}): Promise<void> {
  const body = JSON.stringify({ login: 'ed', role: 'Editor', gone: false, runner: '', ...change });
  await fetch(`${base}/scene`, { method: 'PUT', body });
}
beforeEach(() => scene());

interface Race {
  id: string;
  name: string;
  status: string;
  requested_by: string;
  started_at: string;
  finished_at: string;
}

/** What the runner itself knows of the races of a name. */
async function races(name: string): Promise<Race[]> {
  return (await (await fetch(`${base}/runner/races?name=${name}`)).json()).races;
}

async function ended(name: string, status: string): Promise<void> {
  await expect.poll(async () => (await races(name))[0]?.status, { timeout: 20_000 }).toBe(status);
}

/** Chooses a script and gives the race a name, by the keyboard, and waits until what will happen is said. */
async function prepare(page: Page, script: string, name: string): Promise<void> {
  await page.getByText(/2 apps, 1 heat of .* together/).waitFor(); // the form of the first script: a list that is still filled in loses letters
  await focusNext(page, page.getByRole('combobox', { name: 'Script' }));
  await type(page, script);
  await page.getByRole('option', { name: script }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('checkbox', { name: 'other races' }).waitFor();
  await focusNext(page, page.getByRole('button', { name: 'More' }));
  await page.keyboard.press('Enter');
  await focusNext(page, field(page, 'Name'));
  await type(page, name);
  await page.getByText(/2 apps, 1 heat of .* together/).waitFor();
}

/** A field by its label, which its description follows. */
const field = (page: Page, label: string) => page.getByRole('textbox', { name: new RegExp(`^${label}`) });
const startButton = (page: Page) => page.getByRole('button', { name: 'Start race' });
const search = (page: Page) => new URL(page.url()).searchParams;

it('a race is prepared, started and watched with the keyboard, and the dashboard is turned to it', async () => {
  const page = await open('control', { login: 'ed' });
  await prepare(page, 'quick.js', 'by-keys');
  await field(page, 'Heats').focus();
  await type(page, '2');
  await page.getByText('2 apps, 2 heats of 1 s each together (as asked), warm-up 200 ms: about 10 s, about').waitFor();
  await focusNext(page, startButton(page));
  await page.keyboard.press('Enter');

  const card = page.getByRole('region', { name: 'Race by-keys' });
  await card.getByText(/(warming up|racing), heat 1 of 2/).waitFor();
  expect(await card.evaluate((element) => element === document.activeElement), 'the focus is on the race').toBe(true);
  await card.getByRole('progressbar').waitFor();
  await card.getByText(/about \d+ s left · started by you · quick\.js/).waitFor();
  const [race] = await races('by-keys');
  await expect.poll(() => search(page).get('var-race')).toBe(race?.id);
  const first = search(page).get('to');
  await expect.poll(() => search(page).get('to'), { timeout: 10_000 }).not.toBe(first);

  await page.getByText('by-keys finished').waitFor({ timeout: 20_000 });
  const [done] = await races('by-keys');
  await expect.poll(() => search(page).get('to')).toBe(String(Date.parse(done?.finished_at ?? '') + 5000));
  expect(Number(search(page).get('from'))).toBeLessThan(Date.parse(done?.started_at ?? ''));
  expect(Number(search(page).get('to'))).toBeGreaterThan(Date.parse(done?.finished_at ?? ''));
  expect(done?.requested_by).toBe('ed');
  await startButton(page).waitFor();
});

it('a double click starts one race, and one whose answer was lost is not started twice', async () => {
  const page = await open('control', {}, { failing: true });
  await prepare(page, 'quick.js', 'double');
  await startButton(page).dblclick();
  await page.getByRole('region', { name: 'Race double' }).waitFor();
  await ended('double', 'finished');
  expect(await races('double')).toHaveLength(1);

  await page.getByText('double finished').waitFor({ timeout: 10_000 });
  await scene({ runner: 'lossy' });
  await field(page, 'Name').fill('lost');
  await page.getByText(/2 apps/).waitFor();
  await startButton(page).click();
  await page.getByText(/cannot be reached.*Press again to ask for the same race; it is started once/).waitFor();
  await scene();
  await expect.poll(() => startButton(page).isEnabled(), { timeout: 10_000 }).toBe(true);
  await startButton(page).click();
  await page.getByText(/lost finished/).waitFor({ timeout: 20_000 });
  expect(await races('lost')).toHaveLength(1);
});

it('a second user sees the race of the first and his own place in the queue, and stopping is asked for', async () => {
  const page = await open('control', { login: 'ed' });
  await prepare(page, 'slow.js', 'long');
  await startButton(page).click();
  await page.getByRole('region', { name: 'Race long' }).getByText(/heat 1 of 1/).waitFor();

  await scene({ login: 'anna', role: 'Admin' });
  const body = JSON.stringify({ script: 'slow.js', name: 'next' });
  const headers = { 'Content-Type': 'application/json' };
  await fetch(`${base}/api/datasources/uid/pf/resources/races`, { method: 'POST', body, headers });
  const next = page.getByRole('region', { name: 'Race next' });
  await next.getByText('next in the queue').waitFor();
  await next.getByText(/takes about \d+ s · started by anna/).waitFor();
  await page.getByRole('button', { name: 'Prepare another race' }).click();
  await page.getByText(/It starts after the 2 races before it, in about/).waitFor();

  await next.getByRole('button', { name: 'Take out of the queue next' }).click();
  await page.getByRole('dialog').getByText(/next will not be run\. anna asked for it/).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Let it wait' }).click();
  expect((await races('next'))[0]?.status).toBe('queued');
  await next.getByRole('button', { name: 'Take out of the queue next' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take out' }).click();
  await ended('next', 'cancelled');

  await page.getByRole('button', { name: 'Stop long' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByText(/long ends now and gets no verdict/).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop race' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('long was stopped').waitFor({ timeout: 15_000 });
  await ended('long', 'cancelled');
});

it('two who press at the same time get a race each, one after the other', async () => {
  const one = await open('control', {});
  await prepare(one, 'quick.js', 'first-press');
  const other = (await one.context().browser()?.newPage()) as Page;
  await other.goto(one.url());
  await prepare(other, 'quick.js', 'second-press');
  await Promise.all([startButton(one).click(), startButton(other).click()]);
  await one.getByRole('region', { name: 'Race first-press' }).waitFor();
  await other.getByRole('region', { name: 'Race second-press' }).waitFor();
  await Promise.all([ended('first-press', 'finished'), ended('second-press', 'finished')]);
  const [[first], [second]] = [await races('first-press'), await races('second-press')];
  const [earlier, later] = [first, second].sort((a, b) => Date.parse(a?.started_at ?? '') - Date.parse(b?.started_at ?? ''));
  expect(Date.parse(later?.started_at ?? ''), 'never at once').toBeGreaterThanOrEqual(Date.parse(earlier?.finished_at ?? ''));
  await expect.poll(() => search(one).get('var-race'), { timeout: 10_000 }).toBe(first?.id);
  await expect.poll(() => search(other).get('var-race'), { timeout: 10_000 }).toBe(second?.id);
  await other.close();
});

it('what is wrong is said at the field that is wrong', async () => {
  const page = await open('control', {}, { failing: true });
  await prepare(page, 'quick.js', 'wrong');
  const at = (name: string) => field(page, name).locator('xpath=ancestor::div[.//label][1]');
  await field(page, 'Heats').fill('1000');
  await at('Heats').getByRole('alert').getByText(/number of heats is 1000; this runner allows at most 100/).waitFor();
  expect(await page.getByText('2 apps, 1 heat').count(), 'no plan stands beside an error').toBe(0);
  await field(page, 'Heats').fill('');
  await field(page, 'Duration').fill('soon');
  await at('Duration').getByRole('alert').getByText(/load\.duration/).waitFor();
  await field(page, 'Duration').fill('');
  await page.getByRole('checkbox', { name: 'other races' }).uncheck({ force: true });
  await page.getByRole('group', { name: 'Lanes' }).getByText(/it takes two to race/).waitFor();
  await startButton(page).click();
  await page.getByRole('group', { name: 'Lanes' }).getByText(/it takes two to race/).waitFor();
  await page.getByRole('button', { name: 'As in the script' }).click();
  await page.getByText('2 apps, 1 heat of 1 s together (as asked), warm-up 200 ms: about 6 s, about').waitFor();
  expect(await races('wrong')).toEqual([]);
});

it('an app that dies is named with its last words', async () => {
  const page = await open('control', {});
  await prepare(page, 'broken.js', 'broken');
  await startButton(page).click();
  await page.getByText('broken failed').waitFor({ timeout: 15_000 });
  await page.getByText(/lane other ended with code 7 before it was healthy/).waitFor();
  await page.getByText('other ended by itself with code 7').waitFor();
  await page.getByLabel('The last lines of other').getByText('the cup of tea is empty').waitFor();
  expect(search(page).get('var-race'), 'nothing was measured that could be shown').toBeNull();
});

it('a viewer and an anonymous visitor read why they may only look', async () => {
  await scene({ login: 'vi', role: 'Viewer' });
  const page = await open('control', { width: 380 }, { theme: 'light', width: 400 });
  await page.getByText('Starting, stopping and overriding races needs the role Editor or Admin.').waitFor();
  await page.getByText(/2 apps, 1 heat/).waitFor();
  expect(await startButton(page).isDisabled()).toBe(true);
  for (const name of ['Rate', 'VUs', 'Duration', 'Heats', 'Warm-up']) {
    expect(await field(page, name).isDisabled(), name).toBe(true);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide, 'nothing sticks out at 400 pixels').toBeLessThanOrEqual(400);
  await scene({ login: '', role: 'Admin' });
  await page.getByText('Log in to start, stop or override races.').waitFor();
});

it('a role that is lost, a data source that is deleted and a runner that is gone are said, and the panel comes back by itself', async () => {
  const page = await open('control', {}, { failing: true });
  await prepare(page, 'quick.js', 'faults');
  await scene({ role: 'Viewer' });
  await startButton(page).click();
  await page.getByText('Starting, stopping and overriding races needs the role Editor or Admin.').first().waitFor();
  await expect.poll(() => startButton(page).isDisabled(), { timeout: 5000 }).toBe(true);
  await scene({ gone: true });
  await page.getByText(/The data source is not there any more\. Choose another one/).waitFor();
  await scene({ runner: 'down' });
  await page.getByText(/The runner at .* cannot be reached/).first().waitFor();
  await scene();
  await expect.poll(() => startButton(page).isEnabled(), { timeout: 15_000 }).toBe(true);
  expect(await field(page, 'Name').inputValue(), 'what was typed is still there').toBe('faults');
  expect(await races('faults')).toEqual([]);
});
