import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { answers, becomes, focusNext, open, type, aroundTests, written } from './browser';

aroundTests();

const field = (page: Page, name: string) => page.getByRole('combobox', { name, exact: true });
const option = (page: Page, name: RegExp) => page.getByRole('option', { name }).first();

describe('with the mouse, the query editor', () => {
  it.each([
    ['Standings', 'standings', /^2: app rank latency_p95 latency_p95_diff latency_p95_verdict/],
    ['Verdict', 'verdict', /^1: \S+/],
    ['Distribution', 'distribution', /^\d+: percentile control slow\n\d+: app percentile ratio low high$/],
    ['Races', 'races', /^2: id name status started_at/],
    ['Events', 'events', /^\d+: time timeEnd title text tags$/],
  ])('asks for %s, and the back end answers', async (label, queryType, frames) => {
    const page = await open('query', { races: ['golden'], baseline: 'control' });
    await field(page, 'Query type').click();
    await option(page, new RegExp(`^${label}`)).click();
    await becomes(page, { queryType, races: ['golden'] });
    await answers(page, frames);
  });

  it('adds a measure, whose unit and meaning it tells, and takes it away', async () => {
    const page = await open('query', { races: ['golden'], measures: ['latency_p95'] });
    await field(page, 'Measures').click();
    await type(page, 'cpu_ms_per_request');
    const cost = option(page, /^CPU (time )?per request.*ms/);
    expect(await cost.textContent()).toMatch(/Lower is better/);
    await cost.click();
    await becomes(page, { measures: ['latency_p95', 'cpu_ms_per_request'] });
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Remove latency_p95' }).click();
    await becomes(page, { measures: ['cpu_ms_per_request'] });
  });

  it('offers the dashboard’s variables, which the back end never sees', async () => {
    const page = await open('query', { queryType: 'standings', races: ['golden'], baseline: 'control' });
    await field(page, 'Apps').click();
    await option(page, /^\$both/).click();
    await becomes(page, { apps: ['$both'] });
    await page.keyboard.press('Escape');
    await page.getByRole('radio', { name: 'Sparklines' }).check();
    await becomes(page, { field: 'trend' });
    await answers(page, /^2: app rank .*latency_p95_trend/);
  });

  it('changes axis and heats', async () => {
    const page = await open('query', { races: ['golden'] });
    await page.getByRole('radio', { name: 'Since the start' }).check();
    await becomes(page, { align: 'elapsed' });
    await answers(page, /^\d+: elapsed latency_p95 latency_p95$/);
    await page.getByRole('radio', { name: 'Each' }).check();
    await becomes(page, { heats: 'each' });
    await answers(page, /^\d+: elapsed( latency_p95){12}$/);
  });
});

describe('with the keyboard alone, the query editor', () => {
  it('is filled in from an empty query', async () => {
    const page = await open('query', { queryType: null, races: null, measures: null, align: null, heats: null });
    await focusNext(page, field(page, 'Query type'));
    await type(page, 'Verd');
    await option(page, /^Verdict/).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await becomes(page, { queryType: 'verdict' });

    await focusNext(page, field(page, 'Races'));
    await type(page, 'golden');
    await option(page, /finished/).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await becomes(page, { races: ['golden'] });
    await page.keyboard.press('Escape');

    await focusNext(page, field(page, 'Baseline'));
    await type(page, 'slow');
    await option(page, /^slow/).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await becomes(page, { baseline: 'slow' });

    await focusNext(page, field(page, 'Value'));
    await type(page, 'Rati');
    await option(page, /^Ratio/).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await becomes(page, { field: 'ratio' });
    await answers(page, /^1: /);
  });

  it('takes a race name with Enter', async () => {
    const page = await open('query', { queryType: 'races' });
    await focusNext(page, page.getByRole('textbox', { name: 'Race name' }));
    await type(page, ' no such race ');
    await page.keyboard.press('Enter');
    await becomes(page, { name: 'no such race' });
    await answers(page, /^0: id name/);
  });

  it('explains each field', async () => {
    const page = await open('query', { queryType: 'verdict', races: [] });
    const said = [];
    const marks = page.locator('label svg');
    await expect.poll(() => marks.count()).toBe(7);
    for (const mark of await marks.all()) {
      await focusNext(page, mark);
      said.push(await page.getByRole('tooltip').last().textContent());
    }
    expect(said).toEqual(
      [/answers with/, /Race ids/, /races of this name/, /contestants/, /What is compared/, /compared with/, /Which number/].map((one) =>
        expect.stringMatching(one)
      )
    );
  });
});

describe('a query that a file brought', () => {
  it.each([
    ['an unknown type', { queryType: 'nonsense' }, /no query type "nonsense"/],
    ['a text instead of a list', { queryType: 'standings', races: 'golden' }, /races of the query is a string; races, apps and measures are lists/],
    ['an unknown measure', { queryType: 'standings', races: ['golden'], measures: ['latency_p96'] }, /latency_p96/],
    ['an unknown race', { queryType: 'standings', races: ['silver'] }, /silver/],
    ['an unknown variable', { queryType: 'standings', races: ['golden'], apps: ['$nobody'] }, /variable \$nobody in apps/],
  ])('with %s is shown, named by the back end, and can be mended', async (_name, query, error) => {
    const page = await open('query', query, { failing: true });
    await page.getByRole('button', { name: 'Run query' }).click();
    await answers(page, error);
    await field(page, 'Query type').click();
    await option(page, /^Races/).click();
    await becomes(page, { queryType: 'races' });
  });

  it('keeps the keys that the editor does not know', async () => {
    const page = await open('query', { queryType: 'races', later: { by: 'others' } });
    await field(page, 'Query type').click();
    await option(page, /^Events/).click();
    await becomes(page, { queryType: 'events', later: { by: 'others' } });
  });
});

describe('in a narrow window, by day', () => {
  it.each(['query', 'annotation', 'variable', 'config'])('nothing of the editor of %s is cut off', async (show) => {
    const width = show === 'config' ? 368 : 400; // Grafana's page has 16 pixels beside it
    const page = await open(show, show === 'variable' ? { kind: 'apps' } : { queryType: 'verdict', races: ['$latest'] }, { theme: 'light', width });
    const ours = show === 'config' ? page.locator('fieldset') : page.locator('#root'); // Grafana's own part of the settings wants 540 pixels
    for (const box of await ours.all()) {
      expect(await box.evaluate((element) => element.scrollWidth + element.getBoundingClientRect().left)).toBeLessThanOrEqual(width);
    }
  });
});

it('the editor of annotations asks for events', async () => {
  const page = await open('annotation', { queryType: 'races', races: [] });
  await focusNext(page, field(page, 'Races'));
  await type(page, 'golden');
  await option(page, /finished/).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await becomes(page, { queryType: 'events', races: ['golden'] });
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Run query' }).click();
  await answers(page, /^\d+: time timeEnd title text tags$/);
});

it('the editor of variables lists apps of a race', async () => {
  const page = await open('variable');
  await field(page, 'Values').click();
  await option(page, /^Apps/).click();
  await becomes(page, { kind: 'apps', race: '$latest' });
  await field(page, 'Race').click();
  await option(page, /^golden/).click();
  await becomes(page, { kind: 'apps', race: 'golden' });
  expect(await written(page)).toMatchObject({ refId: 'v', name: '' });
});
