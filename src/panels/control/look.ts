import type { Calls } from '../../shared/calls';
import { asRecord, asText } from '../../shared/json';
import { type Problem, problemOf } from '../../shared/problem';
import { hasEnded } from '../../shared/races';
import { openRaces, type RaceState, readOpen, readRace } from './races';

/** What the user may do, by the data source's resource call. */
export interface Capabilities {
  canStart: boolean;
  reason: string;
  runner: boolean;
}

/** What was seen at the last look. What could not be seen stays as it was seen before. */
export interface Picture {
  can?: Capabilities;
  canAt: number;
  open: RaceState[];
  /** The race that is followed, from its start until another one is. */
  followed?: RaceState;
  /** Why the last look failed. */
  problem?: Problem;
}

export const nothing: Picture = { canAt: 0, open: [] };

/** How often roles and the runner's health are asked for, in ms: a role is rarely taken away while the page is open. */
const capabilitiesEvery = 10_000;

/** Looks at the runner once. */
export async function look(calls: Calls, followed: string | undefined, last: Picture, now: number): Promise<Picture> {
  try {
    const stale = last.problem !== undefined || last.can?.canStart !== true || last.canAt === 0 || now - last.canAt >= capabilitiesEvery;
    const can = stale || !last.can ? readCapabilities(await calls.get('capabilities')) : last.can;
    const canAt = stale ? now : last.canAt;
    if (!can.runner) {
      return { can, canAt, open: [] };
    }
    const open = readOpen(await calls.get(openRaces));
    return { can, canAt, open, followed: await findFollowed(calls, followed, open, last.followed) };
  } catch (error) {
    return { ...last, problem: problemOf(error) };
  }
}

/** Among the open races, or by itself: a race that has just ended is asked for once more. */
async function findFollowed(calls: Calls, id: string | undefined, open: RaceState[], last?: RaceState): Promise<RaceState | undefined> {
  if (!id) {
    return undefined;
  }
  const found = open.find((race) => race.id === id);
  if (found || (last?.id === id && hasEnded(last))) {
    return found ?? last;
  }
  try {
    return readRace(await calls.get(`races/${encodeURIComponent(id)}`));
  } catch (error) {
    const problem = problemOf(error);
    if (problem.code === 'not_found') {
      return undefined; // pruned, or of another runner
    }
    throw error;
  }
}

function readCapabilities(answer: unknown): Capabilities {
  const can = asRecord(answer);
  return { canStart: can.canStart === true, reason: asText(can.reason), runner: can.runner === true };
}

/** How long until the next look, in ms: about once a second while something runs, rarely where nobody sees it. */
export function pauseAfter({ open, problem, followed }: Picture, hidden: boolean): number {
  if (hidden) {
    return 15_000;
  }
  if (problem) {
    return 3000;
  }
  return open.length > 0 || (followed && !hasEnded(followed)) ? 1000 : 5000;
}
