// The plugin in a Grafana that runs: npm run e2e, with GRAFANA_URL, and GRAFANA_ADMIN_USER and GRAFANA_ADMIN_PASSWORD where they are not admin.
// That Grafana has our provisioning (docs/grafana.md), and a runner with a script or a Prometheus with a race of the last week.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type { PluginOptions } from '@grafana/plugin-e2e';
import { defineConfig } from '@playwright/test';

const root = join(import.meta.dirname, '../../..');
const login = join(dirname(createRequire(import.meta.url).resolve('@grafana/plugin-e2e')), 'auth');
const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const { GRAFANA_URL: baseURL, PHOTOFINISH_CHROMIUM: executablePath = chromium, GRAFANA_ADMIN_USER: admin = 'admin' } = process.env;

if (!baseURL) {
  process.stderr.write('SKIPPED: GRAFANA_URL names no Grafana, so nothing was tried in a real one. GRAFANA_URL=http://localhost:3000 npm run e2e\n');
  process.exit(0);
}

export default defineConfig<PluginOptions>({
  testDir: '.',
  outputDir: join(root, 'test-results', 'grafana'),
  reporter: [['list']],
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  use: {
    baseURL,
    provisioningRootDir: join(root, 'provisioning'),
    viewport: { width: 1280, height: 900 },
    launchOptions: { executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'] },
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'login', testDir: login, testMatch: /.*\.js/ },
    {
      name: 'grafana',
      testMatch: /.*\.spec\.ts/,
      use: { storageState: join(process.cwd(), 'playwright', '.auth', `${admin}.json`) },
      dependencies: ['login'],
    },
  ],
});
