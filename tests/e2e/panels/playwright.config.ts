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
  outputDir: join(import.meta.dirname, '../../../test-results'),
  snapshotPathTemplate: '{testDir}/pictures/{arg}{ext}',
  reporter: [['line']],
  workers: 1,
  timeout: 60_000,
  expect: {
    timeout: 15_000,
    // Another version of the browser rounds the edges of letters and curves differently; a capsule of another colour is 0.1% of a picture.
    toHaveScreenshot: { threshold: 0.15, maxDiffPixelRatio: 0.0005 },
  },
  use: {
    baseURL,
    launchOptions: { executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run', ...alike] },
  },
});
