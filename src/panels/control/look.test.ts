import { describe, expect, it } from 'vitest';

import type { Calls } from '../../shared/calls';
import { look, nothing, pauseAfter } from './look';
import { openRaces } from './races';

/** Answers by path; an Error-like object with a status is thrown. */
function calls(answers: Record<string, unknown>): Calls & { asked: string[] } {
  const asked: string[] = [];
  const get = async (path: string) => {
    asked.push(path);
    const answer = answers[path];
    if (typeof answer === 'object' && answer !== null && 'status' in answer && 'data' in answer) {
      throw answer;
    }
    return answer;
  };
  return { asked, get, post: get };
}

const can = { canStart: true, reason: '', runner: true };
const open = { races: [{ id: 'a', status: 'racing' }] };
const ended = { id: 'a', status: 'finished' };

describe('a look at the runner', () => {
  it('finds the race that is followed among the open ones', async () => {
    const asking = calls({ capabilities: can, [openRaces]: open });
    const picture = await look(asking, 'a', nothing, 1);
    expect(picture).toMatchObject({ can: { canStart: true }, open: [{ id: 'a' }], followed: { status: 'racing' } });
    expect(asking.asked).toEqual(['capabilities', openRaces]);
  });

  it('asks for a race that is no longer open, until it has its end', async () => {
    const asking = calls({ capabilities: can, [openRaces]: { races: [] }, 'races/a': ended });
    const picture = await look(asking, 'a', nothing, 1);
    expect(picture.followed?.status).toBe('finished');
    const again = await look(asking, 'a', picture, 2);
    expect(again.followed).toBe(picture.followed);
    expect(asking.asked).toEqual(['capabilities', openRaces, 'races/a', openRaces]);
  });

  it('forgets a race that the runner does not know', async () => {
    const unknown = { status: 404, data: { code: 'not_found', message: 'there is no race "a"' } };
    const picture = await look(calls({ capabilities: can, [openRaces]: { races: [] }, 'races/a': unknown }), 'a', nothing, 1);
    expect(picture.problem).toBeUndefined();
    expect(picture.followed).toBeUndefined();
  });

  it('asks nothing of a runner that is not there', async () => {
    const asking = calls({ capabilities: { canStart: false, reason: 'no runner', runner: false } });
    expect(await look(asking, 'a', nothing, 1)).toMatchObject({ can: { reason: 'no runner' }, open: [] });
    expect(asking.asked).toEqual(['capabilities']);
  });

  it('keeps what it saw while nobody answers, and then looks at the role again', async () => {
    const seen = await look(calls({ capabilities: can, [openRaces]: open }), 'a', nothing, 1);
    const down = await look(
      calls({ [openRaces]: { status: 502, data: { code: 'runner_unreachable', message: 'the runner cannot be reached' } } }),
      'a',
      seen,
      2
    );
    expect(down).toMatchObject({ open: [{ id: 'a' }], problem: { message: 'the runner cannot be reached' } });
    const back = calls({ capabilities: can, [openRaces]: open });
    expect((await look(back, 'a', down, 3)).problem).toBeUndefined();
    expect(back.asked[0]).toBe('capabilities');
  });

  it('notices that the role was taken away, some seconds later', async () => {
    const seen = await look(calls({ capabilities: can, [openRaces]: open }), undefined, nothing, 1);
    const lost = { canStart: false, reason: 'starting needs the role Editor', runner: true };
    const soon = await look(calls({ capabilities: lost, [openRaces]: open }), undefined, seen, 1000);
    expect(soon.can?.canStart).toBe(true);
    const later = await look(calls({ capabilities: lost, [openRaces]: open }), undefined, soon, 10_002);
    expect(later.can?.canStart).toBe(false);
  });
});

it('looks are frequent while something runs, and rare where nobody sees it', async () => {
  const running = await look(calls({ capabilities: can, [openRaces]: open }), undefined, nothing, 1);
  expect(pauseAfter(running, false)).toBe(1000);
  expect(pauseAfter(running, true)).toBe(15_000);
  expect(pauseAfter(nothing, false)).toBe(5000);
  expect(pauseAfter({ ...nothing, problem: { message: 'x', code: '' } }, false)).toBe(3000);
});
