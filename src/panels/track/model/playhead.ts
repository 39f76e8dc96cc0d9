/** Where in a race one looks: at its front while it is run, or anywhere behind it. */
export interface Playhead {
  mode: 'live' | 'playing' | 'paused';
  /** Seconds since the first heat began. */
  at: number;
}

/** How far behind the front one may fall before one is put there: a page that was hidden does not run after what it missed, in seconds. */
const mostBehind = 1.5;

/** Runs a little faster than the clock while it is further behind than two events of the runner lie apart, in seconds. */
const usualBehind = 0.5;

/**
 * Lets time pass. Behind the newest measurement the head moves as the clock does, so that it is at one measurement when the next comes; it never
 * moves beyond.
 */
export function advance(head: Playhead, seconds: number, to: number, over: boolean, speed: number): Playhead {
  switch (head.mode) {
    case 'paused':
      return head;
    case 'playing': {
      const at = head.at + seconds * speed;
      return at < to ? { ...head, at } : { mode: over ? 'paused' : 'live', at: to };
    }
    default: {
      const behind = to - head.at;
      if (over || behind > mostBehind || behind < 0) {
        return head.at === to ? head : { ...head, at: to };
      }
      const at = Math.min(to, head.at + seconds * (behind > usualBehind ? 1.25 : 1));
      return at === head.at ? head : { ...head, at };
    }
  }
}

/** Play, or pause where it plays. At the end it plays from the start. */
export function toggled(head: Playhead, from: number, to: number, over: boolean): Playhead {
  if (head.mode === 'playing' || (head.mode === 'live' && !over)) {
    return { ...head, mode: 'paused' };
  }
  return { mode: 'playing', at: head.at >= to ? from : head.at };
}
