import { FieldType, formattedValueToString, getValueFormat, toDataFrame } from '@grafana/data';
import { describe, expect, it } from 'vitest';

import { emptiness } from './emptiness';
import { liveFrame } from '../testdata/frames';
import { kinds, read, scalesOf } from './gauges';
import type { Lane, Race } from './race';
import { type Runner, standingAt } from './state';
import { clock, distanceText, outcomeOf, placesSentence, progressText, readVerdicts, statusLine, wholeSeconds } from './words';

const lane: Lane = { app: 'slow', baseline: false, moments: [{ at: 0, requests: 1234, p95: 30 }] };
const base: Lane = { app: 'control', baseline: true, moments: [{ at: 0, requests: 2468, p95: 10 }] };
const race: Race = {
  id: 'r',
  name: 'nightly',
  status: 'racing',
  detail: '',
  phase: 'race',
  heats: 12,
  heatStarts: [],
  remaining: 80,
  lanes: [base, lane],
};
const runnerOf = (one: Lane): Runner => standingAt(race, 0).runners.find((r) => r.lane === one) as Runner;

it.each([
  [0, '1 s'],
  [59.6, '1 min'],
  [160, '2 min 40 s'],
  [3 * 3600 + 120, '3 h 2 min'],
  [-5, '1 s'],
])('%s seconds are about %s', (seconds, want) => expect(wholeSeconds(seconds)).toBe(want));

it.each([
  [65.9, '1:05'],
  [-3.2, '-0:03'],
  [-0.5, '0:00'],
])('the clock shows %s as %s', (seconds, want) => expect(clock(seconds)).toBe(want));

describe('the status', () => {
  it.each<[string, Partial<Race>, string]>([
    ['of a race', {}, 'Racing, heat 3 of 12, about 1 min 20 s left'],
    [
      'of one that waits',
      { status: 'queued', detail: 'place 2 in the queue', remaining: undefined },
      'Waiting in the queue, place 2 in the queue',
    ],
    [
      'of one that failed',
      { status: 'failed', detail: 'the app slow is not healthy' },
      'Failed, the app slow is not healthy, 12 heats, 10 s',
    ],
    ['of one that took a little less than was heard of it', { status: 'finished', took: 9.5 }, 'Finished, 12 heats, 9.5 s'],
    [
      'of one that was stopped in its first heat',
      { status: 'cancelled', heats: 2, took: 15.5, lanes: [{ ...base, moments: [{ at: 17, requests: 1, heat: 1 }] }] },
      'Stopped, 1 of 2 heats, 15.5 s',
    ],
    ['that a later runner may have', { status: 'refuelling' }, 'refuelling'],
  ])('%s', (_name, change, want) => expect(statusLine({ ...race, ...change }, 3, 10)).toBe(want));
});

describe('the outcome', () => {
  const verdicts = readVerdicts(
    [
      toDataFrame({
        fields: [
          { name: 'app', type: FieldType.string, values: ['slow', 'slow', 'slow'] },
          { name: 'measure', type: FieldType.string, values: ['latency_p95', 'cpu_cores', 'latency_p95'] },
          { name: 'outcome', type: FieldType.string, values: ['slower', 'same', 'faster'] },
          { name: 'ratio', type: FieldType.number, values: [24.13, 1, 0.5] },
          { name: 'race', type: FieldType.string, values: ['r', 'r', 'another'] },
        ],
      }),
    ],
    'r'
  );

  it.each<[string, Race, Runner, object]>([
    ['while racing is undecided, with what was measured last', race, runnerOf(lane), { text: 'undecided, p95 × 3.0', sign: '' }],
    [
      'is the verdict, once there is one',
      { ...race, status: 'finished' },
      runnerOf(lane),
      { text: 'slower, p95 × 24', sign: '▲', tone: 'bad' },
    ],
    ['of the baseline is that it is the baseline', race, runnerOf(base), { text: 'baseline' }],
    ['of who is out is why', race, { ...runnerOf(lane), out: 'memory, 12 s' }, { text: 'out: memory, 12 s', sign: '✕', tone: 'bad' }],
  ])('%s', (_name, of, runner, want) => expect(outcomeOf(of, runner, runnerOf(base), verdicts.get('slow'))).toMatchObject(want));

  it('says nothing where nothing is known', () => {
    expect(outcomeOf({ ...race, status: '' }, { ...runnerOf(lane), moment: undefined }, undefined, undefined).text).toBe('');
  });
});

it('tells the places to those who listen', () => {
  const standing = standingAt(race, 0);
  expect(placesSentence(standing)).toBe('Places: 1 control, 2 slow');
  const [first] = standing.runners;
  expect(placesSentence({ ...standing, runners: [first as Runner, { ...runnerOf(lane), place: 0, out: 'memory, 12 s' }] })).toBe(
    'Places: 1 control; out: slow (memory, 12 s)'
  );
});

it('tells the way', () => {
  const over = standingAt({ ...race, status: 'finished' }, 0);
  expect(distanceText(over)).toBe('2,468 requests');
  expect(progressText(over.runners[1] as Runner, over)).toBe('1,234 requests, 50% of the way');
});

describe('a gauge', () => {
  const limited: Lane = {
    ...lane,
    cpuLimit: 0.5,
    memoryLimit: 128 << 20,
    moments: [{ at: 0, requests: 1, cpu: 0.25, rate: 11785, errors: 0.004, p95: 0.2134, memory: 64 << 20 }],
  };
  const scales = scalesOf({ ...race, lanes: [limited] });
  const reading = (gauge: 'cpu' | 'rate' | 'errors' | 'p95' | 'memory') => read(gauge, limited, limited.moments[0], scales);

  it('is full at the most that was seen or is allowed, and marks the limit', () => {
    expect(reading('cpu')).toEqual({ gauge: 'cpu', text: '0.25', level: 0.5, limit: 1 });
    expect(reading('memory')).toMatchObject({ text: '67 MB', level: 0.5, limit: 1 });
  });

  it('has as many digits as mean something', () => {
    expect([reading('rate').text, reading('errors').text, reading('p95').text]).toEqual(['11,785/s', '0.40%', '0.21 ms']);
  });

  it.each([
    [12.34, '12.3 ms'],
    [999.4, '999 ms'],
    [1234, '1.23 s'],
    [90_000, '90.0 s'],
  ])('writes a latency of %d ms with three digits', (ms, text) => expect(kinds.p95.write(ms)).toBe(text));

  it.each([
    ['errors', 'percentunit', 0.0042, 2],
    ['errors', 'percentunit', 0.25, 0],
    ['errors', 'percentunit', 0, 0],
    ['cpu', 'none', 1.2, 2],
    ['cpu', 'none', 12, 2],
    ['memory', 'decbytes', 0, 0],
    ['memory', 'decbytes', 1000, 0],
    ['memory', 'decbytes', 1.5 * 2 ** 30, 0],
    ['memory', 'decbytes', 3 * 2 ** 40, 0],
  ] as const)('writes %s as Grafana does %s: %d', (gauge, unit, value, decimals) =>
    expect(kinds[gauge].write(value)).toBe(formattedValueToString(getValueFormat(unit)(value, decimals)))
  );

  it('shows little of little: 0.4% of errors are no full gauge', () => {
    expect(reading('errors').level).toBeCloseTo(0.08);
  });

  it('without a container is a dash', () => {
    expect(read('cpu', lane, lane.moments[0], scales)).toEqual({ gauge: 'cpu', text: '–', level: undefined, limit: undefined });
  });
});

describe('where there is no race', () => {
  it('a panel without queries says which to add', () => expect(emptiness([]).steps.join()).toMatch(/type Live/));

  it('a query without a race says how to start one, and what the back end said', () => {
    const frame = liveFrame([]);
    frame.meta = { notices: [{ severity: 'warning', text: 'no race in this time range' }] };
    expect(emptiness([frame]).steps.join()).toMatch(/no race in this time range.*Start race/);
  });

  it('a query that failed says why', () =>
    expect(emptiness([], ['the runner cannot be reached; check that it runs']).steps).toEqual([
      'the runner cannot be reached; check that it runs',
    ]));

  it('a series without requests says what is missing', () => {
    expect(emptiness([toDataFrame({ fields: [{ name: 'elapsed', type: FieldType.number, values: [] }] })]).steps.join()).toMatch(
      /request_rate/
    );
  });
});
