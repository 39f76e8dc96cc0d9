import { describe, expect, it } from 'vitest';

import { follow } from './follow';
import { type RaceState, readRace } from './races';

const race = (more: Record<string, unknown>): RaceState => readRace({ id: 'r1', name: 'ab', status: 'racing', ...more });
const started = { started_at: '2026-03-14T09:00:10Z' };
const ended = { ...started, finished_at: '2026-03-14T09:02:10Z', heats: [{}, {}] };
const at = (time: string) => Date.parse(`2026-03-14T${time}Z`);
const latest = '$latest';

const now = at('09:01:00');

describe('the dashboard follows a race', () => {
  it('not while it waits or gets ready', () => {
    expect(follow({ id: 'r1' }, race({ status: 'queued', position: 2 }), latest, now).turn).toBeUndefined();
    expect(follow({ id: 'r1' }, race({ status: 'preparing' }), latest, now).turn).toBeUndefined();
  });

  it('from its start on, and every five seconds further', () => {
    const first = follow({ id: 'r1' }, race(started), latest, now);
    expect(first).toEqual({
      following: { id: 'r1', shownAt: now, from: at('09:00:05') },
      turn: { race: 'r1', from: at('09:00:05'), to: now, kind: 'first' },
    });
    expect(follow(first.following, race(started), 'r1', now + 4999)).toEqual({ following: first.following });
    const exact = race({ started_at: '2026-03-14T09:00:09.812Z' }); // as it is recorded after the first heat
    const next = follow(first.following, exact, 'r1', now + 5000);
    expect(next.turn).toEqual({ race: 'r1', from: at('09:00:05'), to: now + 5000, kind: 'onward' });
    expect(next.following.shownAt).toBe(now + 5000);
  });

  it('to its end, where it shows the whole of it, once', () => {
    const last = follow({ id: 'r1', shownAt: now }, race({ ...ended, status: 'finished' }), 'r1', now + 1);
    expect(last.turn).toEqual({ race: 'r1', from: at('09:00:05'), to: at('09:02:15'), kind: 'whole' });
    expect(follow(last.following, race({ ...ended, status: 'finished' }), latest, now)).toEqual({ following: last.following });
  });

  it('also when it was over between two looks', () => {
    expect(follow({ id: 'r1' }, race({ ...ended, status: 'finished' }), latest, now).turn?.kind).toBe('whole');
  });

  it('also where it has no variable', () => {
    expect(follow({ id: 'r1', shownAt: now }, race({ ...ended, status: 'cancelled' }), undefined, now).turn?.race).toBe('r1');
  });

  it('but not against who has chosen another race', () => {
    expect(follow({ id: 'r1', shownAt: now }, race(started), 'r0', now + 9000).turn).toBeUndefined();
    const last = follow({ id: 'r1', shownAt: now }, race({ ...ended, status: 'finished' }), 'r0', now + 1);
    expect(last).toEqual({ following: { id: 'r1', shownAt: now, done: true } });
  });

  it('and not to a race that measured nothing', () => {
    const failed = follow({ id: 'r1' }, race({ status: 'failed', heats: [], finished_at: '2026-03-14T09:00:11Z' }), latest, now);
    expect(failed).toEqual({ following: { id: 'r1', shownAt: now, done: true } });
  });

  it('nor to another one', () => {
    expect(follow({ id: 'r2' }, race(started), latest, now).turn).toBeUndefined();
  });
});
