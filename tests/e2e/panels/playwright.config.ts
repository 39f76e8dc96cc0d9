import { join } from 'node:path';

import { defineConfig } from '@playwright/test';

const { PHOTOFINISH_E2E_URL: baseURL, PHOTOFINISH_CHROMIUM: executablePath } = process.env;
if (!baseURL || !executablePath) {
  throw new Error('start these by what serves the panels: npm run pictures, npm run bench');
}

/** What makes the pictures of two machines and two browsers alike: letters without hints and coloured edges, colours as they are. */
const alike = ['--font-render-hinting=none', '--disable-lcd-text', '--force-color-profile=srgb', '--hide-scrollbars'];

export default defineConfig({
  testDir: '.',
  outputDir: join(import.meta.dirname, '../../../test-results/pictures'),
  snapshotPathTemplate: '{testDir}/pictures/{arg}{ext}',
  reporter: [['line']],
  workers: 1,
  timeout: 60_000,
  expect: {
    timeout: 15_000,
    // With the fonts and settings above Chromium 153 and 156 of two builds draw the same, so no pixel may differ: another digit is 6 to 65 of them. The
    // threshold lets what a processor rounds otherwise pass, a step or two of a colour; at 0.05 another green of an app would pass, too.
    toHaveScreenshot: { threshold: 0.01, maxDiffPixels: 0 },
  },
  use: {
    baseURL,
    launchOptions: { executablePath, env: { ...process.env, FONTCONFIG_FILE: join(import.meta.dirname, 'fonts.conf') }, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run', ...alike] },
  },
});
