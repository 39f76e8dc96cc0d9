import { describe, expect, it } from 'vitest';

import { failed, readHealth, readPermissions } from './checks';

const parts = [
  { name: 'Prometheus', ok: true, required: true, message: 'answers' },
  { name: 'cAdvisor series', ok: false, required: false, message: 'no cAdvisor series; run one' },
  { name: 'runner', ok: false, required: true, message: 'the runner cannot be reached' },
];

describe('the health check', () => {
  it('is told part by part', () => {
    expect(readHealth({ status: 'ERROR', message: 'x', details: { parts } })).toEqual([
      { name: 'Prometheus', state: 'ok', message: 'Answers.' },
      { name: 'cAdvisor series', state: 'advice', message: 'No cAdvisor series; run one.' },
      { name: 'runner', state: 'wanting', message: 'The runner cannot be reached.' },
    ]);
  });

  it('that could not be made says why', () => {
    expect(readHealth({ status: 'ERROR', message: 'Plugin unavailable' })).toEqual([
      { name: 'data source', state: 'wanting', message: 'Plugin unavailable.' },
    ]);
    expect(readHealth(undefined)[0]?.message).toContain('log of Grafana');
    expect(failed({ message: 'gone', hint: 'add it', code: '' }).message).toBe('Gone. Add it.');
  });
});

describe('permissions', () => {
  const can = { canStart: true, reason: '', runner: true };

  it('say what the user may do with the runner', () => {
    expect(readPermissions(can, [])).toEqual([{ name: 'permissions', state: 'ok', message: 'You may start and stop races.' }]);
    expect(readPermissions({ ...can, canStart: false, reason: 'log in to start races' }, [])[0]).toMatchObject({
      state: 'advice',
      message: 'Log in to start races.',
    });
  });

  it('say that there is no runner, as advice', () => {
    expect(readPermissions({ canStart: false, reason: 'x', runner: false }, [])).toMatchObject([{ name: 'runner', state: 'advice' }]);
  });

  it('say nothing beside a runner that does not answer, or where nobody was asked', () => {
    expect(readPermissions(can, readHealth({ details: { parts } }))).toEqual([]);
    expect(readPermissions(undefined, [])).toEqual([]);
  });
});
