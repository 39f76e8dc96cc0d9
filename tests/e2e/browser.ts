import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

const { PHOTOFINISH_E2E_URL: base, PHOTOFINISH_CHROMIUM: executablePath } = process.env;

/** What is behind the page: times in milliseconds since 1970, and addresses of Prometheus with and without something before it. */
export interface Scene {
  from: number;
  to: number;
  prometheus: string;
  guarded: string;
  encrypted: string;
  authority: string;
}

let browser: Browser;
let opened: Page | undefined;
let complaints: string[] = [];

/** Starts the browser around the tests of a file. After each test its page is closed, and its console must have stayed empty. */
export function aroundTests(): void {
  beforeAll(async () => {
    if (!base || !executablePath) {
      throw new Error('start these tests by what is behind the page: npm run test:browser');
    }
    browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
    });
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    await opened?.close();
    expect(complaints, 'the browser’s console').toEqual([]);
  });
}

export async function scene(): Promise<Scene> {
  return (await fetch(`${base}/scene.json`)).json();
}

/** Opens one editor with what is to be edited. A request that fails is a complaint of the console too, unless it is to fail. */
export async function open(show: string, value: unknown = {}, { theme = 'dark', width = 1280, failing = false } = {}): Promise<Page> {
  complaints = [];
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  opened = page;
  page.setDefaultTimeout(10_000);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    const { url } = message.location();
    const expected = url.includes('/public/') || (failing && url.includes('/api/')); // fonts are Grafana's own, and not in its packages
    if (message.type() === 'error' && !expected) {
      complaints.push(`${message.text()} ${url}`);
    }
  });
  await page.goto(`${base}/page.html?${new URLSearchParams({ show, theme, value: JSON.stringify(value) })}`);
  await page.locator('#written').waitFor({ state: 'attached' });
  return page;
}

/** What the editor has written. */
export async function written(page: Page): Promise<Record<string, unknown>> {
  return JSON.parse((await page.locator('#written').textContent()) ?? '');
}

/** Waits until the editor has written this. */
export async function becomes(page: Page, want: Record<string, unknown>): Promise<void> {
  await expect.poll(() => written(page), { timeout: 8000 }).toMatchObject(want);
}

/** Waits until the back end answers this to what was written. */
export async function answers(page: Page, want: RegExp): Promise<void> {
  await expect.poll(() => page.locator('#answer').textContent(), { timeout: 15_000 }).toMatch(want);
}

/** Types as fast as a good typist: Grafana's lists lose letters that come without any time between them. */
export function type(page: Page, text: string): Promise<void> {
  return page.keyboard.type(text, { delay: 40 });
}

/** Goes to a field by the Tab key. */
export async function focusNext(page: Page, field: Locator): Promise<void> {
  await field.waitFor();
  for (let steps = 0; steps < 60; steps++) {
    if (await field.evaluate((element) => element === document.activeElement)) {
      return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(`60 times Tab do not reach ${field}`);
}
