import { toDataFrame } from '@grafana/data';
import { describe, expect, it } from 'vitest';

import { made, only, recorded } from '../testdata/frames';
import { at, readFinishes } from './finish';
import { gapsOf, isUnfair, noRace, unfairTitle } from './missing';

describe('a recorded race', () => {
  const finish = only(readFinishes(recorded.race));

  it('is read off the frames of its queries', () => {
    expect(finish.apps.map(({ app }) => app)).toEqual(['control', 'high-cpu', 'high-latency', 'memory-leak']);
    expect(finish).toMatchObject({ baseline: 'control', heats: 8, status: 'finished', fair: true });
    expect(finish.apps[2]).toMatchObject({ outcome: 'slower', place: 4, costed: true });
    expect(finish.apps[2]?.sentence).toMatch(/^high-latency is slower than control: p95 × /);
    expect(finish.startedAt).toBe(Date.parse('2026-11-25T07:13:54Z'));
  });

  it('has curves that rise, and ratios to the baseline only', () => {
    for (const { app, curve, ratios } of finish.apps) {
      const ms = curve.map((point) => point.ms);
      expect(ms).toEqual([...ms].sort((a, b) => a - b));
      expect(at(curve, 50)).toBeGreaterThan(0);
      expect(ratios.length, app).toBe(app === 'control' ? 0 : 21);
    }
  });

  it('lacks nothing', () => {
    expect(gapsOf(finish)).toEqual([]);
    expect(isUnfair(finish)).toBe(false);
  });
});

it('an unfair race says so, gravest first, and nothing is slower', () => {
  const finish = only(readFinishes(recorded.unfair));
  expect(isUnfair(finish)).toBe(true);
  expect(finish.findings[0]?.severity).toBe('unfair');
  for (const { sentence, outcome } of finish.apps) {
    expect(sentence).not.toMatch(/slower|faster/);
    expect(['', 'inconclusive']).toContain(outcome);
  }
});

it('a race that goes on may become fair again', () => {
  const finish = only(readFinishes(recorded.unfair));
  expect(unfairTitle(finish)).toMatch(/was not fair, so nothing was decided/);
  expect(unfairTitle({ ...finish, status: 'racing' })).toMatch(/is not fair so far/);
});

it('what somebody lets stand is not unfair', () => {
  const audit = { fair: false, overridden_by: 'anna', findings: [] };
  expect(isUnfair(only(readFinishes(made(['a', 'b'], { custom: { audit } }))))).toBe(false);
});

describe('frames that are not all there', () => {
  it('of no query at all ask for queries', () => {
    expect(readFinishes([])).toEqual([]);
    expect(noRace([]).todo).toMatch(/Verdict.*Distribution/);
    expect(noRace(['verdict']).title).toMatch(/No race/);
    expect(noRace(['verdict'], ['Data source not found', 'Data source not found'])).toEqual({
      title: 'The race cannot be asked for',
      todo: 'Data source not found',
    });
  });

  it('without verdicts show the curves, and say what to add', () => {
    const finish = only(readFinishes(recorded.race.filter(({ name }) => name !== 'verdict')));
    expect(finish.apps).toHaveLength(4);
    expect(gapsOf(finish).join()).toMatch(/No baseline is chosen/);
  });

  it('without curves tell the sentences', () => {
    const finish = only(readFinishes(recorded.race.filter(({ name }) => name === 'verdict')));
    expect(finish.apps[1]?.sentence).not.toBe('');
    expect(gapsOf(finish).join()).toMatch(/No latencies/);
  });

  it('of a race that is not over promise no verdict', () => {
    const [gap] = gapsOf(only(readFinishes(made(['a', 'b'], { custom: { status: 'warming-up' } }))));
    expect(gap).toBe('The race is warming up: there is no verdict before it has finished.');
  });

  it('of a failed race tell why', () => {
    const [gap] = gapsOf(only(readFinishes(made(['a', 'b'], { custom: { status: 'failed', error: 'app b was not healthy.' } }))));
    expect(gap).toBe('The race failed: app b was not healthy. What it measured until then is shown.');
  });

  it('of one app say that there is nothing to compare', () => {
    expect(gapsOf(only(readFinishes(made(['alone'])))).join()).toMatch(/One app raced alone/);
  });

  it('without container data say what to scrape', () => {
    expect(gapsOf(only(readFinishes(made(['a', 'b'])))).join()).toMatch(/cAdvisor/);
  });

  it('of another form hold no race', () => {
    const strange = toDataFrame({
      fields: [
        { name: 'app', values: [7, null] },
        { name: 'rank', values: ['x'] },
      ],
      meta: { custom: { races: [null, 'x'] } },
    });
    expect(readFinishes([strange])).toEqual([]);
  });
});

it('several races stay apart, each with its own curves and ratios', () => {
  const [first, second] = readFinishes(recorded.two);
  const alone = only(readFinishes(recorded.race));
  expect(first?.id).toBe(alone.id);
  expect(first?.apps.map(({ app, curve, ratios }) => [app, curve, ratios])).toEqual(
    alone.apps.map(({ app, curve, ratios }) => [app, curve, ratios])
  );
  expect(second?.apps).toHaveLength(4);
  expect(second?.apps[1]?.ratios).toHaveLength(21);
  expect(second?.apps[1]?.ratios).not.toEqual(first?.apps[1]?.ratios);
});
