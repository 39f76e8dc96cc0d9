import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { aroundTests, focusNext, open as openPage } from '../browser';

aroundTests();

const open = (scene: string, value?: unknown, how?: Parameters<typeof openPage>[2]) => openPage(`track/${scene}`, value, how);

/** Where pictures go, for people to look at; none are taken without it. */
const shots = process.env.PHOTOFINISH_SHOTS;

async function shoot(page: Page, name: string): Promise<void> {
  if (shots) {
    mkdirSync(shots, { recursive: true });
    await page.screenshot({ path: join(shots, `${name}.png`) });
  }
}

const row = (page: Page, app: string) => page.locator(`[role=row][data-app="${app}"]`);
const tell = (page: Page, events: number) =>
  page.evaluate((count) => (window as unknown as { tell: (events: number) => void }).tell(count), events);
const scrubber = (page: Page) => page.getByRole('slider', { name: 'Time of the race' });

/** Where the nose of an app's capsule is, in pixels from the left of the page. */
async function nose(page: Page, app: string): Promise<number> {
  const capsule = row(page, app).locator('[data-part=runner]');
  return capsule.evaluate((element) => element.getBoundingClientRect().left);
}

const scrollAway = (page: Page, away: boolean) =>
  page.evaluate((margin) => ((document.querySelector('#panel') as HTMLElement).style.marginTop = margin), away ? '3000px' : '').then(() => undefined);

/** A browser without windows has no tab behind another: the page is told so. */
const hideTab = (page: Page, away: boolean) =>
  page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event('visibilitychange'));
  }, away);

describe('a race that is run', () => {
  it('moves its lanes forward to what is told, and no further', async () => {
    const page = await open('live');
    await row(page, 'control').waitFor();
    expect(await page.getByText(/^Racing, heat 1 of 2, about/).count()).toBe(1);
    await page.waitForTimeout(300); // whatever moved at first has arrived
    const before = await nose(page, 'control');
    await page.waitForTimeout(500);
    expect(await nose(page, 'control')).toBe(before);
    await tell(page, 4);
    await expect.poll(() => nose(page, 'control')).toBeGreaterThan(before);
    await tell(page, 1000);
    await expect.poll(() => page.getByText(/^Finished, 2 heats/).count()).toBe(1);
    await expect.poll(() => row(page, 'control').locator('[data-part=place]').textContent()).toBe('1');
  });

  it('moves between two events at display rate, and rests when nothing is told', async () => {
    const page = await open('live');
    await row(page, 'control').waitFor();
    await page.waitForTimeout(300);
    const moves = page.evaluate(async () => {
      const mover = document.querySelector('[data-app=control] [data-part=runner]') as HTMLElement;
      const seen = new Set<string>();
      for (let frame = 0; frame < 30; frame++) {
        await new Promise(requestAnimationFrame);
        seen.add(mover.style.transform);
      }
      return seen.size;
    });
    await tell(page, 2);
    expect(await moves).toBeGreaterThan(8);
    await page.waitForTimeout(800);
    const frames = await page.evaluate(async () => {
      const real = window.requestAnimationFrame;
      let asked = 0;
      window.requestAnimationFrame = (callback) => (asked++, real(callback));
      await new Promise((resolve) => setTimeout(resolve, 500));
      window.requestAnimationFrame = real;
      return asked;
    });
    expect(frames).toBe(0);
  });

  it.each<[string, (page: Page, away: boolean) => Promise<void>]>([
    ['scrolled away', scrollAway],
    ['in a tab behind others', hideTab],
  ])('does nothing while it is %s, and is where the race is when it is back', async (_, hide) => {
    const page = await open('live');
    await row(page, 'control').waitFor();
    await page.waitForTimeout(300);
    const before = await nose(page, 'control');
    await hide(page, true);
    await page.waitForTimeout(300);
    const changes = await page.evaluate(async () => {
      let count = 0;
      const observer = new MutationObserver((records) => (count += records.length));
      observer.observe(document.querySelector('#panel') as Node, { subtree: true, childList: true, attributes: true, characterData: true });
      for (let i = 0; i < 8; i++) {
        (window as unknown as { tell: (events: number) => void }).tell(1);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      observer.disconnect();
      return count;
    });
    expect(changes).toBe(0);
    await hide(page, false);
    await expect.poll(() => nose(page, 'control')).toBeGreaterThan(before);
  });

  it('can be paused, looked back at, and followed again', async () => {
    const page = await open('live');
    await page.getByRole('button', { name: 'Pause' }).click();
    const stands = await nose(page, 'control');
    await tell(page, 6);
    await page.waitForTimeout(300);
    expect(await nose(page, 'control')).toBeLessThanOrEqual(stands);
    await page.getByRole('button', { name: 'Live' }).click();
    await expect.poll(() => nose(page, 'control')).toBeGreaterThan(stands);
  });

  it('jumps from second to second for whom motion makes ill', async () => {
    const page = await open('live');
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await row(page, 'control').waitFor();
    await tell(page, 3);
    const places = await page.evaluate(async () => {
      const mover = document.querySelector('[data-app=control] [data-part=runner]') as HTMLElement;
      const seen = new Set<string>();
      for (let frame = 0; frame < 40; frame++) {
        await new Promise(requestAnimationFrame);
        seen.add(mover.style.transform);
      }
      return seen.size;
    });
    expect(places).toBeLessThanOrEqual(2);
  });

  it('says that nothing is heard of it, and goes on when something is', async () => {
    const page = await open('live');
    await expect.poll(() => page.getByText(/^No news for/).count(), { timeout: 9000 }).toBe(1);
    await tell(page, 1);
    await expect.poll(() => page.getByText(/^No news for/).count()).toBe(0);
  });
});

describe('a race that is over', () => {
  it('is replayed with the keyboard alone', async () => {
    const page = await open('ended');
    await expect.poll(() => row(page, 'control').locator('[data-part=place]').textContent()).toBe('1');
    const end = await nose(page, 'control');
    await focusNext(page, scrubber(page));
    await page.keyboard.press('Home');
    await expect.poll(() => nose(page, 'control')).toBeLessThan(end - 500);
    await page.keyboard.press('PageUp');
    const later = await nose(page, 'control');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => nose(page, 'control')).toBeLessThan(later);
    expect(await scrubber(page).getAttribute('aria-valuetext')).toMatch(/^\d:\d\d of \d:\d\d$/);
    await page.keyboard.press('Home');
    await focusNext(page, page.getByRole('button', { name: 'Play' }));
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('button', { name: 'Pause' }).count()).toBe(1);
    await expect.poll(() => nose(page, 'control'), { timeout: 9000 }).toBeCloseTo(end, 0);
    await expect.poll(() => page.getByRole('button', { name: 'Play' }).count()).toBe(1);
  });

  it('is dragged with the mouse', async () => {
    const page = await open('ended');
    await scrubber(page).waitFor();
    const end = await nose(page, 'control');
    const box = await scrubber(page).boundingBox();
    await page.mouse.click((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2);
    await expect.poll(() => nose(page, 'control')).toBeLessThan(end - 100);
  });

  it('without a past shows how it ended and no controls', async () => {
    const page = await open('ended alone');
    await row(page, 'control').waitFor();
    expect(await scrubber(page).count()).toBe(0);
  });
});

describe('who hears the panel', () => {
  it('hears a table with the same figures, and the places when they change', async () => {
    const page = await open('live');
    const table = page.getByRole('table', { name: 'Lanes of race' });
    expect(await table.getByRole('columnheader').allTextContents()).toEqual(['', 'App', expect.stringMatching(/requests$/), 'p95', 'Rate', 'Errors', 'CPU', 'Memory']);
    const cells = await table.getByRole('row', { name: 'control' }).getByRole('cell').allTextContents();
    expect(cells.slice(2).join(' ')).toMatch(/^[\d.]+ ms [\d.]+\/s 0% [\d.]+ \d+ MB$/);
    expect(await table.getByRole('cell', { name: /requests, \d+% of the way$/ }).count()).toBe(2);
    await expect.poll(() => page.locator('[aria-live=polite]').textContent()).toBe('Places: 1 control, 2 high-latency');
  });
});

describe.each(['dark', 'light'])('in the %s theme', (theme) => {
  it.each<[string, string, number, number]>([
    ['live', 'live', 1280, 260],
    ['ended', 'ended', 1280, 260],
    ['out', 'out', 1280, 260],
    ['ghost', 'ghost', 1280, 260],
    ['no container', 'no container', 1280, 260],
    ['one app', 'one app', 1280, 200],
    ['twelve', 'twelve', 1280, 640],
    ['thirty', 'thirty', 1280, 640],
    ['prometheus', 'prometheus', 1280, 260],
    ['live at 400', 'live', 400, 480],
    ['thirty at 400', 'thirty', 400, 600],
    ['live at 700', 'live', 700, 360],
    ['live and low', 'live', 600, 110],
    ['nothing', 'nothing', 600, 200],
    ['no race', 'no race', 400, 240],
  ])('%s is whole: nothing is cut off sideways', async (name, scene, width, height) => {
    const options = scene === 'ghost' ? { ghost: 'race' } : {};
    const page = await open(scene, { width, height, options }, { theme, width: Math.max(width, 400) });
    await page.locator('#panel > div').waitFor();
    await page.waitForTimeout(400);
    await shoot(page, `${name}-${theme}`.replaceAll(' ', '-'));
    const beyond = await page.evaluate(() => {
      const panel = document.querySelector('#panel')?.getBoundingClientRect();
      return [...document.querySelectorAll('#panel [data-app] > *, #panel button, #panel p')]
        .filter((element) => {
          const box = element.getBoundingClientRect();
          return panel && (box.right > panel.right + 1 || box.left < panel.left - 1);
        })
        .map((element) => element.textContent);
    });
    expect(beyond).toEqual([]);
  });
});

it('says in an empty panel what to do', async () => {
  const page = await open('no race', { width: 600, height: 240 });
  await page.getByText('Press Start race').waitFor();
  expect(await page.getByText('no race in this time range').count()).toBe(1);
});

