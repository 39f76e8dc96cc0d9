import { hasEnded } from '../../shared/races';
import type { RaceState } from './races';

/** The race that the dashboard is to follow, and what was done for it. */
export interface Following {
  id: string;
  /** The dashboard was turned to it when it started. */
  shown?: boolean;
  /** It has ended, and the dashboard shows it as a whole. */
  done?: boolean;
}

/** How the dashboard is to be turned: its variable `race`, and its time range in milliseconds since 1970. */
export interface Turn {
  race: string;
  from: number;
  to: number | 'now';
}

/** Before and after the race, so that its first and last samples are not on the edge. */
const marginMs = 5000;

/**
 * Turns the dashboard to a race when it starts, and to the whole of it when it has ended. Who has chosen another race in between is left alone.
 *
 * @param chosen what the dashboard's variable `race` holds; undefined where it has none
 */
export function follow(following: Following, race: RaceState, chosen: string | undefined): { following: Following; turn?: Turn } {
  if (following.done || race.id !== following.id || race.status === 'queued') {
    return { following };
  }
  const chosenOther = following.shown && chosen !== undefined && chosen !== race.id;
  if (hasEnded(race)) {
    const done = { ...following, shown: true, done: true };
    if (chosenOther || race.startedAt === undefined || race.heatsRun === 0) {
      return { following: done };
    }
    const range = { from: race.startedAt - marginMs, to: (race.finishedAt ?? race.startedAt) + marginMs };
    return { following: done, turn: { race: race.id, ...range } };
  }
  if (following.shown || race.startedAt === undefined) {
    return { following };
  }
  return { following: { ...following, shown: true }, turn: { race: race.id, from: race.startedAt - marginMs, to: 'now' } };
}
