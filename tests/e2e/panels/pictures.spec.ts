// Pictures of the panels, compared with those in pictures/. One that differs is written to test-results/pictures, with the stored one and the difference.
import { expect, type Page, test } from '@playwright/test';

interface Shot {
  panel: string;
  scene: string;
  width: number;
  height: number;
  theme?: 'light' | 'dark';
  options?: object;
}

const wide = { track: [1000, 220], finish: [1000, 620], control: [560, 640] } as const;

function shots(panel: keyof typeof wide, scenes: string[], more: Partial<Shot> = {}): Shot[] {
  const [width, height] = wide[panel];
  return scenes.map((scene) => ({ panel, scene, width, height, ...more }));
}

const light = { theme: 'light' } as const;

const all: Shot[] = [
  ...shots('track', ['live', 'out', 'ended', 'names', 'no race', 'no container']),
  ...shots('track', ['live', 'ended'], light),
  ...shots('track', ['thirty'], { height: 560 }),
  ...shots('track', ['live', 'names'], { width: 400, height: 300 }),
  ...shots('finish', ['race', 'unfair', 'names', 'none', 'capacity']),
  ...shots('finish', ['race'], light),
  ...shots('finish', ['thirty'], { height: 900 }),
  ...shots('finish', ['race'], { width: 400, height: 900 }),
  ...shots('finish', ['capacity'], { width: 400, height: 900 }),
  ...shots('control', ['idle', 'racing', 'finished', 'failed', 'viewer', 'thirty', 'names', 'no source', 'gone']),
  ...shots('control', ['racing', 'finished'], light),
  ...shots('control', ['idle', 'names'], { width: 400 }),
];

/** Opens a panel and lets two seconds of a clock pass that nothing else moves. */
async function open(page: Page, { panel, scene, width, height, theme = 'dark', options }: Shot): Promise<void> {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('response', (response) => {
    // Grafana has icons that its package @grafana/ui lacks.
    if (!response.ok() && !response.url().includes('/img/icons/')) {
      problems.push(`${response.url()}: ${response.status()}`);
    }
  });
  await page.setViewportSize({ width, height });
  await page.clock.install({ time: new Date('2026-11-25T08:00:00Z') });
  await page.clock.pauseAt(new Date('2026-11-25T08:00:01Z'));
  const value = JSON.stringify({ width, height, options });
  await page.goto(`/page.html?${new URLSearchParams({ show: `${panel}/${scene}`, theme, value })}`);
  await page.locator('#written').waitFor({ state: 'attached' });
  for (let i = 0; i < 4; i++) {
    await page.clock.runFor(500);
  }
  await page.evaluate(() => document.fonts.ready);
  expect(problems).toEqual([]);
}

/** The fonts of the machine that the panel is written with: a picture of them would be of this machine. */
async function fontsOfTheMachine(page: Page): Promise<string[]> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('DOM.enable');
  await devtools.send('CSS.enable');
  const { root } = await devtools.send('DOM.getDocument');
  const { nodeIds } = await devtools.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector: '#panel *' });
  const found = new Set<string>();
  for (const nodeId of nodeIds) {
    const { fonts } = await devtools.send('CSS.getPlatformFontsForNode', { nodeId });
    fonts.filter(({ isCustomFont }) => !isCustomFont).forEach(({ familyName }) => found.add(familyName));
  }
  return [...found];
}

for (const shot of all) {
  const { panel, scene, width, theme = 'dark' } = shot;
  test(`${panel}, ${scene}, ${theme}, ${width} pixels wide`, async ({ page }) => {
    await open(page, shot);
    expect(await fontsOfTheMachine(page)).toEqual([]);
    await expect(page.locator('#panel')).toHaveScreenshot(`${panel}-${scene}-${theme}-${width}.png`.replaceAll(' ', '-'));
  });
}
