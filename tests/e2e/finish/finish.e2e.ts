import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { aroundTests, becomes, focusNext, open } from '../browser';

aroundTests();

const figure = (page: Page, name: RegExp) => page.getByRole('img', { name });
const tip = (page: Page) => page.getByRole('status');

/** A picture for people, where somebody wants one: PHOTOFINISH_SHOTS names a folder. */
async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env.PHOTOFINISH_SHOTS;
  if (folder) {
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`) });
  }
}

it('the result comes first, in words, then the pictures, then the audit', async () => {
  const page = await open('race');
  await shoot(page, 'race');
  const result = page.getByRole('list', { name: 'Result' });
  expect(await result.getByRole('listitem').allTextContents()).toEqual([
    expect.stringMatching(/^✗high-cpu is slower than control: p95 ×\s\d/),
    expect.stringMatching(/^✗high-latency is slower than control: p95 ×\s\d/),
    expect.stringMatching(/^\?memory-leak against control is inconclusive/),
  ]);
  const tops = [];
  for (const part of [result, figure(page, /Distributions/), page.getByRole('region', { name: 'Audit' })]) {
    tops.push((await part.boundingBox())?.y ?? 0);
  }
  expect(tops).toEqual([...tops].sort((a, b) => a - b));
});

it('both pictures are read off with the mouse', async () => {
  const page = await open('race');
  const ridges = figure(page, /Distributions/);
  const box = await ridges.boundingBox();
  await ridges.hover({ position: { x: (box?.width ?? 0) - 12, y: 20 } });
  expect(await tip(page).textContent()).toMatch(/^At most .* tookcontrol.*%high-cpu.*%high-latency.*%memory-leak.*%$/);
  await figure(page, /Ratios to control/).hover({ position: { x: 200, y: 100 } });
  expect(await tip(page).textContent()).toMatch(/^p[\d.]+ over control’s(high-cpu|high-latency)× .* \[.*\]/);
  await page.mouse.move(0, 0);
  expect(await tip(page).count()).toBe(0);
});

it('and with the keyboard', async () => {
  const page = await open('race');
  await focusNext(page, figure(page, /Ratios to control/));
  await page.keyboard.press('End');
  expect(await tip(page).textContent()).toMatch(/^p99.9 over/);
  await page.keyboard.press('Home');
  expect(await tip(page).textContent()).toMatch(/^p1 over/);
  await page.keyboard.press('Escape');
  expect(await tip(page).count()).toBe(0);
});

it('capacities are read off with mouse and keyboard, and their tries are numbers too', async () => {
  const page = await open('capacity');
  await shoot(page, 'capacity');
  const rates = figure(page, /Rates against p95/);
  expect(await page.getByRole('list', { name: 'Capacity' }).getByRole('listitem').allTextContents()).toEqual([
    expect.stringMatching(/^two-workers holds 202 req\/s \[195, 205\]/),
    expect.stringMatching(/^three-workers holds 301 req\/s \[293, 307\]/),
  ]);
  await rates.hover({ position: { x: 60, y: 100 } });
  expect(await tip(page).textContent()).toMatch(/^Near .*two-workers100\/s: 13.1 ms, held ✓three-workers100\/s: 13.3 ms, held ✓$/);
  await focusNext(page, rates);
  await page.keyboard.press('End');
  expect(await tip(page).textContent()).toMatch(/two-workers400\/s: 1008 ms, held ✗/);
  await page.keyboard.press('Escape');
  await page.getByText('Numbers', { exact: true }).first().click();
  expect(await page.getByRole('row', { name: /^two-workers 3 / }).textContent()).toBe('two-workers 3400/s1008 msno: latency_p95<60: 1008 ms');
});

it('an app is brought to the front by its button, and by a click on its curve', async () => {
  const page = await open('race');
  const button = page.getByRole('button', { name: 'high-cpu' });
  const faint = () => page.locator('svg g[opacity="0.25"]').count();
  await focusNext(page, button);
  await page.keyboard.press('Enter');
  expect(await button.getAttribute('aria-pressed')).toBe('true');
  expect(await faint()).toBe(3);
  await page.keyboard.press('Enter');
  expect(await faint()).toBe(0);
  await page.locator('svg text', { hasText: 'high-latency' }).first().click();
  expect(await page.getByRole('button', { name: 'high-latency' }).getAttribute('aria-pressed')).toBe('true');
});

it('who does not see the pictures reads their numbers', async () => {
  const page = await open('race');
  for (const summary of await page.getByText('Numbers', { exact: true }).all()) {
    await summary.click();
  }
  const [curves, ratios] = await page.getByRole('table').all();
  expect(await curves?.getByRole('row').count()).toBe(5);
  expect(await ratios?.getByRole('row').count()).toBe(4);
  expect(await ratios?.getByRole('row').nth(1).textContent()).toMatch(/^high-cpu× /);
});

it.each([
  ['Markdown', 'md', /^### Race ab/],
  ['CSV', 'csv', /^race,app,percentile/],
  ['PNG', 'png', /^\u0089PNG/],
])('the result is taken elsewhere as %s', async (label, ending, text) => {
  const page = await open('race');
  await page.evaluate(() => Object.defineProperty(window, 'isSecureContext', { value: false })); // as most Grafanas within a company are
  await page.getByRole('button', { name: /Copy/ }).click();
  const saving = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: label }).click();
  const saved = await saving;
  expect(saved.suggestedFilename()).toBe(`ab-20261125-071353-b06e-finish.${ending}`);
  const chunks: Buffer[] = [];
  for await (const chunk of await saved.createReadStream()) {
    chunks.push(chunk as Buffer);
  }
  const content = Buffer.concat(chunks);
  expect(content.toString('latin1')).toMatch(text);
  expect(content.length).toBeGreaterThan(500);
  await expect.poll(() => page.locator('#said').textContent()).toMatch(/saved as a file/);
  if (ending === 'png' && process.env.PHOTOFINISH_SHOTS) {
    await saved.saveAs(join(process.env.PHOTOFINISH_SHOTS, 'copied.png'));
  }
});

it('the dashboard is led to the time of the race', async () => {
  const page = await open('race');
  await page.getByRole('button', { name: /time of this race/ }).click();
  const start = Date.parse('2026-11-25T07:13:54Z');
  await becomes(page, { range: { from: expect.toSatisfy((ms: number) => ms < start && ms > start - 60_000) } });
});

it('an unfair race says so first', async () => {
  const page = await open('unfair', {}, { theme: 'light' });
  await shoot(page, 'unfair-light');
  const alert = page.getByRole('alert');
  expect(await alert.textContent()).toMatch(/not fair, so nothing was decided/);
  const words = (await page.getByRole('list', { name: 'Result' }).textContent()) ?? '';
  expect(words).toMatch(/inconclusive/);
  expect(words).not.toMatch(/slower|faster/);
});

it('of several races one is chosen', async () => {
  const page = await open('two');
  const first = await page.getByRole('list', { name: 'Result' }).textContent();
  await page.getByRole('combobox', { name: 'Race' }).click();
  await shoot(page, 'two');
  await page.getByRole('option', { name: /073945/ }).click();
  await expect.poll(() => page.getByRole('list', { name: 'Result' }).textContent()).not.toBe(first);
});

it('without a race it is said what to do', async () => {
  const page = await open('none');
  await shoot(page, 'none');
  expect(await page.locator('#root').textContent()).toMatch(/No race finished in this time range.*Start one/);
});

it('parts that are not wanted are left out', async () => {
  const page = await open('race', { distributions: false, audit: false });
  expect(await figure(page, /Distributions/).count()).toBe(0);
  expect(await page.getByRole('region', { name: 'Audit' }).count()).toBe(0);
  expect(await figure(page, /Ratios/).count()).toBe(1);
});

describe('no matter how odd the race', () => {
  it.each([
    ['race', 'dark', 1280],
    ['race', 'light', 400],
    ['unfair', 'dark', 400],
    ['thirty', 'light', 1280],
    ['thirty', 'dark', 400],
    ['names', 'light', 1280],
    ['names', 'dark', 400],
    ['alone', 'dark', 800],
    ['once', 'light', 800],
  ])('%s in the %s theme at %d pixels is drawn within the panel', async (show, theme, width) => {
    const page = await open(show, {}, { theme, width });
    await shoot(page, `${show}-${theme}-${width}`);
    const svg = figure(page, /Distributions/);
    expect(await svg.count()).toBe(1);
    const wider = await page.evaluate(() =>
      [...document.querySelectorAll('main *')]
        .filter((element) => element instanceof HTMLElement && getComputedStyle(element).position !== 'absolute' && !element.closest('details'))
        .filter((element) => element.getBoundingClientRect().right > window.innerWidth + 1)
        .map((element) => `${element.tagName} ${element.textContent?.slice(0, 40)}`)
    );
    expect(wider).toEqual([]);
    const outside = await svg.evaluate((element) => {
      const { right } = element.getBoundingClientRect();
      return [...element.querySelectorAll('text')].filter((text) => text.getBoundingClientRect().right > right + 1).map((text) => text.textContent);
    });
    expect(outside).toEqual([]);
    expect(await page.content()).not.toContain('NaN');
  });
});
