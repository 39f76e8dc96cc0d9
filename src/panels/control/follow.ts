import { hasEnded } from '../../shared/races';
import type { RaceState } from './races';

/** The race that the dashboard is to follow, and what was done for it. */
export interface Following {
  id: string;
  /** When the dashboard was turned to it last, in milliseconds since 1970. */
  shownAt?: number;
  /** Where its time range begins; kept, since the runner tells the start more exactly after the first heat. */
  from?: number;
  /** It has ended, and the dashboard shows it as a whole. */
  done?: boolean;
}

/** How the dashboard is to be turned: its variable `race`, and its time range in milliseconds since 1970. */
export interface Turn {
  race: string;
  from: number;
  to: number;
  /** first: the race has started; onward: it goes on; whole: it has ended. */
  kind: 'first' | 'onward' | 'whole';
}

/** Before and after the race, so that its first and last samples are not on the edge. */
const marginMs = 5000;

/** How often the time range goes on with the race, and the other panels ask anew. */
const onwardMs = 5000;

/**
 * Turns the dashboard to a race when it starts, on with it while it runs, and to the whole of it when it has ended. Who has chosen another race
 * in between is left alone.
 *
 * @param chosen what the dashboard's variable `race` holds; undefined where it has none
 */
export function follow(
  following: Following,
  race: RaceState,
  chosen: string | undefined,
  now: number
): { following: Following; turn?: Turn } {
  const { shownAt, done, id } = following;
  if (done || race.id !== id || race.status === 'queued') {
    return { following };
  }
  const chosenOther = shownAt !== undefined && chosen !== undefined && chosen !== race.id;
  const from = race.startedAt === undefined ? undefined : race.startedAt - marginMs;
  if (hasEnded(race)) {
    const last = { id, shownAt: shownAt ?? now, done: true };
    if (chosenOther || from === undefined || race.heatsRun === 0) {
      return { following: last };
    }
    return { following: last, turn: { race: race.id, from, to: (race.finishedAt ?? now) + marginMs, kind: 'whole' } };
  }
  if (from === undefined || chosenOther || (shownAt !== undefined && now - shownAt < onwardMs)) {
    return { following };
  }
  const range = { from: following.from ?? from, to: now };
  return {
    following: { id, shownAt: now, from: range.from },
    turn: { race: race.id, ...range, kind: shownAt === undefined ? 'first' : 'onward' },
  };
}
