// Figures, not tests: how soon a panel is painted, and what a track costs while twelve apps race. Nothing is held against a limit here.
import { writeFileSync } from 'node:fs';

import { type CDPSession, type Page, test } from '@playwright/test';

const figures: Record<string, number> = {};
test.afterAll(() => writeFileSync(process.env.PHOTOFINISH_FIGURES ?? 'test-results/figures.json', JSON.stringify(figures)));

/** How often the runner tells of a race, in ms; and how much of the recorded race is told. */
const between = 200;
const events = 30;

async function open(page: Page, show: string): Promise<void> {
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(`/page.html?${new URLSearchParams({ show, value: JSON.stringify({ width: 1280, height: 640 }) })}`);
  await page.locator('#panel > div').waitFor();
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/**
 * From the call that mounts a panel, whose bundle and data are there, to the first frame with anything of it, and to the one with its largest part; once in
 * a page that has just been loaded, where every function runs for the first time, and once more there.
 */
for (const [panel, scene] of [
  ['control', 'idle'],
  ['track', 'twelve'],
  ['finish', 'race'],
]) {
  test(`first paint of ${panel}`, async ({ browser }) => {
    const [first, largest, second]: [number[], number[], number[]] = [[], [], []];
    for (let i = 0; i < 11; i++) {
      const page = await browser.newPage(); // nothing is left of the time before
      await open(page, `${panel}/${scene}`);
      await page.waitForTimeout(500);
      const { paint, whole } = await page.evaluate(async () => {
        const mounted = performance.getEntriesByName('mounted')[0]?.startTime ?? NaN;
        const last = await new Promise<number>((resolve) =>
          new PerformanceObserver((list) => resolve(list.getEntries().pop()?.startTime ?? NaN)).observe({
            type: 'largest-contentful-paint',
            buffered: true,
          })
        );
        return { paint: (performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN) - mounted, whole: last - mounted };
      });
      first.push(paint);
      largest.push(whole);
      second.push(await page.evaluate(() => (window as unknown as { again: () => Promise<number> }).again()));
      await page.close();
    }
    figures[`${panel}-first-paint-ms`] = median(first);
    figures[`${panel}-largest-paint-ms`] = median(largest);
    figures[`${panel}-second-paint-ms`] = median(second);
  });
}

/** Seconds of the main thread since the page was opened, by what they were spent on. */
async function spent(devtools: CDPSession): Promise<Record<string, number>> {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

interface Live {
  tell: (events: number) => void;
}

/** Feeds the race and looks at every frame that the browser shows meanwhile. */
function feed(page: Page): Promise<number[]> {
  return page.evaluate(
    async ([pause, count]) => {
      const shown: number[] = [];
      let going = true;
      const look = (now: number) => {
        shown.push(now);
        if (going) {
          requestAnimationFrame(look);
        }
      };
      requestAnimationFrame(look);
      for (let i = 0; i < count; i++) {
        await new Promise((resolve) => setTimeout(resolve, pause));
        (window as unknown as Live).tell(1);
      }
      going = false;
      return shown.slice(1).map((now, i) => now - (shown[i] ?? now));
    },
    [between, events] as const
  );
}

const kinds = { '': 'TaskDuration', '-script': 'ScriptDuration', '-style': 'RecalcStyleDuration', '-layout': 'LayoutDuration' };

for (const where of ['in sight', 'out of sight']) {
  test(`a track of twelve, ${where}`, async ({ page }) => {
    await open(page, 'track/twelve');
    if (where === 'out of sight') {
      await page.evaluate(() => {
        const panel = document.querySelector<HTMLElement>('#panel');
        if (panel) {
          panel.style.marginTop = '3000px';
        }
      });
    }
    await page.waitForTimeout(1000);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Performance.enable');
    const before = await spent(devtools);
    const frames = await feed(page);
    const after = await spent(devtools);
    const whole = frames.reduce((sum, ms) => sum + ms, 0);
    const name = where === 'in sight' ? 'track' : 'track-out-of-sight';
    if (where === 'in sight') {
      figures['track-frames/s'] = (1000 * frames.length) / whole;
      figures['track-p95-between-frames-ms'] = frames.sort((a, b) => a - b)[Math.floor(0.95 * frames.length)] ?? NaN;
    }
    for (const [kind, metric] of Object.entries(kinds)) {
      figures[`${name}${kind}-ms/frame`] = (1000 * ((after[metric] ?? 0) - (before[metric] ?? 0))) / frames.length;
    }
  });
}
