import { describe, expect, it } from 'vitest';

import { type Definition, readDefinition } from './definition';
import { baselineOf, blank, isChanged, racing, requestOf } from './form';

const lane = (app: string) => ({ app, url: '', command: [app], resources: { cpus: 0.5, memory: 134_217_728 } });

export const script: Definition = readDefinition({
  name: 'ab-test.js',
  race_name: 'ab-test',
  baseline: 'control',
  lanes: ['control', 'fast', 'slow'].map(lane),
  load: { rate: 50, duration_ms: 4000 },
  heats: 8,
  warmup_ms: 1000,
  mode: 'auto',
  raced_as: 'turns',
  arrivals: 'uniform',
  until_decided: false,
  estimate_ms: 160_000,
});

describe('the request of a form', () => {
  it('is the script alone where nothing was typed', () => {
    const request = requestOf(script, blank);
    expect(request).toEqual({ script: 'ab-test.js' });
    expect(isChanged(request)).toBe(false);
  });

  it('says what was typed, lengths in ms, with a comma too', () => {
    const form = { ...blank, vus: '5', rate: '20,5', duration: ' 30 ', heats: '4', warmup: '0.5', name: ' nightly ' };
    expect(requestOf(script, form)).toEqual({
      script: 'ab-test.js',
      name: 'nightly',
      load: { vus: 5, rate: 20.5, duration: 30_000 },
      heats: 4,
      warmup: 500,
    });
  });

  it('asks for a search of capacities', () => {
    expect(requestOf(script, { ...blank, findCapacity: ' latency_p95<200 ' })).toEqual({
      script: 'ab-test.js',
      find_capacity: 'latency_p95<200',
    });
  });

  it('leaves out choices that are the script’s anyway', () => {
    expect(requestOf(script, { ...blank, mode: 'auto', arrivals: 'uniform', untilDecided: false, baseline: 'control' })).toEqual({
      script: 'ab-test.js',
    });
    expect(requestOf(script, { ...blank, mode: 'turns', arrivals: 'even', untilDecided: true, baseline: 'slow' })).toEqual({
      script: 'ab-test.js',
      mode: 'turns',
      arrivals: 'even',
      until_decided: true,
      baseline: 'slow',
    });
  });

  it('passes on what is no number, for the runner to say so', () => {
    expect(requestOf(script, { ...blank, heats: 'many', rate: '1/0' })).toEqual({
      script: 'ab-test.js',
      load: { rate: '1/0' },
      heats: 'many',
    });
  });

  it('names the lanes that race, in the order of the script', () => {
    expect(requestOf(script, { ...blank, resting: ['fast'] }).lanes).toEqual(['control', 'slow']);
    expect(requestOf(script, { ...blank, cpus: { slow: '2', fast: '' }, memory: { slow: '1g' } }).lanes).toEqual([
      'control',
      'fast',
      { app: 'slow', cpus: 2, memory: '1g' },
    ]);
  });

  it('says nothing of the limits of a lane that rests', () => {
    expect(requestOf(script, { ...blank, resting: ['slow'], cpus: { slow: '2' } }).lanes).toEqual(['control', 'fast']);
  });
});

describe('the baseline', () => {
  it('is another one where the script’s rests', () => {
    const form = { ...blank, resting: ['control'] };
    expect(racing(script, form)).toEqual(['fast', 'slow']);
    expect(baselineOf(script, form)).toBe('fast');
    expect(requestOf(script, form)).toEqual({ script: 'ab-test.js', baseline: 'fast', lanes: ['fast', 'slow'] });
  });

  it('is the chosen one while that races', () => {
    expect(baselineOf(script, { ...blank, baseline: 'slow' })).toBe('slow');
    expect(baselineOf(script, { ...blank, baseline: 'slow', resting: ['slow'] })).toBe('control');
  });
});

it('an answer of another form is an empty definition, not an error', () => {
  expect(readDefinition('nonsense')).toMatchObject({ script: '', lanes: [], heats: 0, mode: 'auto', resourcesAllowed: undefined });
});
