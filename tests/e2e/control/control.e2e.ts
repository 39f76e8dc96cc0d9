import type { Page } from 'playwright-core';
import { afterEach, expect, it } from 'vitest';

import { aroundTests, open } from '../browser';

const base = process.env.PHOTOFINISH_E2E_URL;

aroundTests();

async function scene(change: { login?: string; role?: string; gone?: boolean; runner?: '' | 'down' | 'lossy' } = {}): Promise<void> {
  const body = JSON.stringify({ login: 'ed', role: 'Editor', gone: false, runner: '', ...change });
  await fetch(`${base}/scene`, { method: 'PUT', body });
}
afterEach(() => scene());

it('shows', async () => {
  const page = await open('control', {});
  await page.getByText('apps,').waitFor();
  await page.screenshot({ path: '/tmp/ctl/form.png' });
});
