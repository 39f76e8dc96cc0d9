import { describe, expect, it } from 'vitest';

import { advance, type Playhead, toggled } from './playhead';

const live = (at: number): Playhead => ({ mode: 'live', at });

describe('at the front of a race', () => {
  it('the head moves with the clock and stops at the last measurement', () => {
    expect(advance(live(10), 0.1, 10.2, false, 4).at).toBeCloseTo(10.1);
    expect(advance(live(10), 0.5, 10.2, false, 4)).toEqual(live(10.2));
    const rests = live(10.2);
    expect(advance(rests, 1, 10.2, false, 4)).toBe(rests);
  });

  it('it catches up gently, and after a pause of the page at once', () => {
    expect(advance(live(10), 0.1, 11, false, 4).at).toBeCloseTo(10.125);
    expect(advance(live(10), 0.1, 60, false, 4).at).toBe(60);
  });

  it('it is at the end of a race that is over, and never beyond one that was told shorter', () => {
    expect(advance(live(10), 0.1, 11, true, 4).at).toBe(11);
    expect(advance(live(10), 0.1, 9, false, 4).at).toBe(9);
  });
});

describe('a replay', () => {
  it('runs at its speed and stops at the end', () => {
    expect(advance({ mode: 'playing', at: 1 }, 0.5, 9, true, 4)).toEqual({ mode: 'playing', at: 3 });
    expect(advance({ mode: 'playing', at: 8 }, 0.5, 9, true, 4)).toEqual({ mode: 'paused', at: 9 });
  });

  it('of a race that goes on arrives at its front', () => {
    expect(advance({ mode: 'playing', at: 8 }, 0.5, 9, false, 4)).toEqual(live(9));
  });

  it('stands while it is paused', () => {
    const head: Playhead = { mode: 'paused', at: 3 };
    expect(advance(head, 5, 9, false, 4)).toBe(head);
  });
});

describe('the button', () => {
  it.each<[string, Playhead, boolean, Playhead]>([
    ['pauses a race that goes on', live(5), false, { mode: 'paused', at: 5 }],
    ['pauses a replay', { mode: 'playing', at: 5 }, true, { mode: 'paused', at: 5 }],
    ['goes on where it was paused', { mode: 'paused', at: 5 }, true, { mode: 'playing', at: 5 }],
    ['plays from the start at the end', live(9), true, { mode: 'playing', at: -1 }],
    ['plays from the start after a replay', { mode: 'paused', at: 9 }, true, { mode: 'playing', at: -1 }],
  ])('%s', (_name, head, over, want) => expect(toggled(head, -1, 9, over)).toEqual(want));
});
