import { describe, expect, it } from 'vitest';

import { follow } from './follow';
import { type RaceState, readRace } from './races';

const race = (more: Record<string, unknown>): RaceState => readRace({ id: 'r1', name: 'ab', status: 'racing', ...more });
const started = { started_at: '2026-03-14T09:00:10Z' };
const ended = { ...started, finished_at: '2026-03-14T09:02:10Z', heats: [{}, {}] };
const at = (time: string) => Date.parse(`2026-03-14T${time}Z`);
const latest = '$latest';

describe('the dashboard follows a race', () => {
  it('not while it waits or gets ready', () => {
    expect(follow({ id: 'r1' }, race({ status: 'queued', position: 2 }), latest).turn).toBeUndefined();
    expect(follow({ id: 'r1' }, race({ status: 'preparing' }), latest).turn).toBeUndefined();
  });

  it('from its start on, once', () => {
    const first = follow({ id: 'r1' }, race(started), latest);
    expect(first).toEqual({ following: { id: 'r1', shown: true }, turn: { race: 'r1', from: at('09:00:05'), to: 'now' } });
    expect(follow(first.following, race(started), 'r1')).toEqual({ following: first.following });
  });

  it('to its end, where it shows the whole of it, once', () => {
    const last = follow({ id: 'r1', shown: true }, race({ ...ended, status: 'finished' }), 'r1');
    expect(last.turn).toEqual({ race: 'r1', from: at('09:00:05'), to: at('09:02:15') });
    expect(follow(last.following, race({ ...ended, status: 'finished' }), latest)).toEqual({ following: last.following });
  });

  it('also when it was over between two looks', () => {
    expect(follow({ id: 'r1' }, race({ ...ended, status: 'finished' }), latest).turn?.race).toBe('r1');
  });

  it('also where it has no variable', () => {
    expect(follow({ id: 'r1', shown: true }, race({ ...ended, status: 'cancelled' }), undefined).turn?.race).toBe('r1');
  });

  it('but not against who has chosen another race', () => {
    const last = follow({ id: 'r1', shown: true }, race({ ...ended, status: 'finished' }), 'r0');
    expect(last).toEqual({ following: { id: 'r1', shown: true, done: true } });
  });

  it('and not to a race that measured nothing', () => {
    const failed = follow({ id: 'r1' }, race({ status: 'failed', heats: [], finished_at: '2026-03-14T09:00:11Z' }), latest);
    expect(failed).toEqual({ following: { id: 'r1', shown: true, done: true } });
  });

  it('nor to another one', () => {
    expect(follow({ id: 'r2' }, race(started), latest).turn).toBeUndefined();
  });
});
