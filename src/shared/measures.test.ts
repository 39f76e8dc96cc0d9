import { expect, it } from 'vitest';

import { measureOption, readMeasures } from './measures';

const p95 = {
  id: 'latency_p95',
  name: 'p95 latency',
  unit: 'ms',
  better: 'lower',
  source: 'client',
  primary: true,
  description: '95% of the responses took at most this long.',
};

it('measures are read, and what has no id is left out', () => {
  expect(readMeasures([p95, { name: 'nameless' }, null, 'x', { id: 'vus', better: 'sideways' }])).toEqual([
    p95,
    { id: 'vus', name: '', unit: '', better: '', source: '', primary: false, description: '' },
  ]);
});

it('an answer of another form holds no measures', () => {
  expect(readMeasures({ message: 'bad gateway' })).toEqual([]);
});

it.each([
  [
    'names the unit and the better direction',
    p95,
    {
      value: 'latency_p95',
      label: 'p95 latency (ms)',
      description: 'Lower is better. 95% of the responses took at most this long.',
      group: 'Seen by the client (k6)',
    },
  ],
  [
    'keeps a unit that Grafana does not have and says nothing of a direction that there is not',
    { ...p95, unit: 'ms/req', better: '', source: 'elsewhere' },
    {
      value: 'latency_p95',
      label: 'p95 latency (ms/req)',
      description: '95% of the responses took at most this long.',
      group: 'Other',
    },
  ],
])('an option %s', (_name, told, want) => {
  expect(readMeasures([told]).map(measureOption)).toEqual([want]);
});
