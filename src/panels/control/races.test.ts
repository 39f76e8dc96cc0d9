import { expect, it } from 'vitest';

import { exitWords, leftWords, openRaces, readOpen, readRace, share, statusWords } from './races';

const progress = { detail: 'heat 2 of 8', heat: 2, heats: 8, elapsed_ms: 30_000, remaining_ms: 90_000 };

it('the race under way comes first, then the queue; what has ended is left out', () => {
  const races = [
    { id: 'c', status: 'queued', position: 2 },
    { id: 'b', status: 'queued', position: 1 },
    { id: 'z', status: 'finished', position: null },
    { id: 'a', status: 'racing', position: null },
  ];
  expect(readOpen({ races }).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  expect(readOpen('nonsense')).toEqual([]);
});

it('one call asks for all that has not ended', () => {
  expect(openRaces).toBe('races?status=queued&status=preparing&status=warming-up&status=racing&status=collecting&limit=50');
});

it('a race says what it does, how far it is and how long it will take', () => {
  const racing = readRace({ id: 'a', status: 'racing', progress });
  expect(statusWords(racing)).toBe('racing, heat 2 of 8');
  expect(share(racing)).toBe(0.25);
  expect(leftWords(racing)).toBe('about 1 min 30 s left');
  const waiting = readRace({ id: 'a', status: 'queued', position: 3, progress: { ...progress, elapsed_ms: 0, remaining_ms: 61_000 } });
  expect(statusWords(waiting)).toBe('number 3 in the queue');
  expect(share(waiting)).toBeUndefined();
  expect(leftWords(waiting)).toBe('takes about 1 min');
  const preparing = readRace({ id: 'a', status: 'preparing', progress: { ...progress, detail: 'pulling the image x' } });
  expect(statusWords(preparing)).toBe('pulling the image x');
});

it('a runner that tells no progress is no error', () => {
  const racing = readRace({ id: 'a', status: 'warming-up' });
  expect([statusWords(racing), share(racing), leftWords(racing)]).toEqual(['warming up', undefined, '']);
});

it('an app that left the race is told with its reason', () => {
  const lanes = [
    { app: 'a', exit: { reason: 'running' } },
    { app: 'b', exit: { reason: 'oom' }, last_log: ['x'] },
    { app: 'c', exit: { reason: 'exited', code: 3 } },
    { app: 'd', exit: null },
  ];
  const read = readRace({ id: 'a', status: 'racing', lanes }).lanes;
  expect(read.map(({ out }) => out)).toEqual(['', 'oom', 'exited', '']);
  expect(read[1]?.log).toEqual(['x']);
  expect(read.slice(1, 3).map(exitWords)).toEqual(['b ran out of memory', 'c ended by itself with code 3']);
});

it('the runner’s sentence and the lines that it quotes are told apart', () => {
  const race = readRace({
    id: 'a',
    status: 'failed',
    error: 'heat 1 of 6: lane b ended with code 3 before it was healthy; it printed:\n  starting\n  no database',
  });
  expect(race.error).toBe('heat 1 of 6: lane b ended with code 3 before it was healthy');
  expect(race.printed).toEqual(['starting', 'no database']);
});

it('an unfair race says why, and a note does not count', () => {
  const findings = [
    { lane: 'b', severity: 'unfair', detail: 'its limits are not in force' },
    { lane: '', severity: 'unfair', detail: 'the clock was set' },
    { lane: '', severity: 'note', detail: 'k6 used 0.2 CPU' },
  ];
  expect(readRace({ id: 'a', audit: { fair: false, findings } }).unfair).toEqual(['b: its limits are not in force', 'the clock was set']);
  expect(readRace({ id: 'a', audit: { fair: true, findings } }).unfair).toEqual([]);
});
