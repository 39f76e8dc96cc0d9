import type { APIRequestContext, Page } from '@playwright/test';
import { expect, test as base } from '@grafana/plugin-e2e';

/** The uid of the provisioned data source. */
export const source = 'photofinish';

const calls = `/api/datasources/uid/${source}/resources`;

export interface Race {
  id: string;
  name: string;
  status: string;
  started_at: string;
  finished_at: string;
}

interface Fixtures {
  /** A race that has finished; where there is none the runner's first script is raced. */
  race: Race;
  /** The page must throw no error. */
  quiet: void;
}

export const test = base.extend<Fixtures>({
  race: async ({ request }, give) => {
    await give((await finished(request)) ?? (await raced(request)));
  },
  quiet: [
    async ({ page }, give) => {
      const thrown: string[] = [];
      page.on('pageerror', (error) => thrown.push(String(error)));
      await give();
      expect(thrown, 'errors that the page threw').toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

async function finished(request: APIRequestContext): Promise<Race | undefined> {
  const answer = await request.get(`${calls}/races?status=finished&limit=1`);
  expect(answer.status(), `${calls}/races: ${await answer.text()}`).toBe(200);
  return (await answer.json()).races[0];
}

async function raced(request: APIRequestContext): Promise<Race> {
  const { scripts } = await (await request.get(`${calls}/scripts`)).json();
  expect(scripts?.length, 'scripts in the runner’s folder, or a finished race').toBeGreaterThan(0);
  const asked = await request.post(`${calls}/races`, { data: { script: scripts[0], name: 'e2e', heats: 2, load: { duration: '2s' } } });
  expect(asked.status(), await asked.text()).toBe(202);
  const { id } = await asked.json();
  const look = async (): Promise<Race> => (await request.get(`${calls}/races/${id}`)).json();
  await expect.poll(async () => (await look()).status, { timeout: 100_000 }).toBe('finished');
  return look();
}

/** The address of a dashboard that shows a race in its own time. */
export function addressOf(uid: string, { id, started_at, finished_at }: Race): string {
  const margin = 5000;
  const query = new URLSearchParams({
    ...{ 'var-race': id, 'var-datasource': source },
    ...{ from: String(Date.parse(started_at) - margin), to: String(Date.parse(finished_at) + margin) },
  });
  return `/d/${uid}?${query}`;
}

/** Scrolls through a dashboard and unfolds its rows, since Grafana draws a panel when it is seen, and answers with the errors that panels show. */
export async function panelErrors(page: Page): Promise<string[]> {
  const errors = new Set<string>();
  const error = page.getByTestId('data-testid Panel status error');
  const folded = page.getByRole('button', { name: 'Expand row' });
  await page.getByTestId(/^data-testid Panel header /).first().waitFor();
  let below = true;
  while (below) {
    while ((await folded.count()) > 0) {
      await folded.first().click();
    }
    await page.waitForTimeout(700);
    await expect(page.getByTestId('panel-loading-bar')).toHaveCount(0);
    for (const one of await error.all()) {
      const panel = page.getByTestId(/^data-testid Panel header /).filter({ has: one });
      errors.add(`${await panel.first().getAttribute('data-testid')}: ${await one.getAttribute('aria-label')}`);
    }
    below = await page.evaluate(() => {
      const before = window.scrollY;
      window.scrollBy(0, window.innerHeight / 2);
      return window.scrollY > before;
    });
  }
  return [...errors];
}
