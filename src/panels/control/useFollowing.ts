import { useEffect, useState } from 'react';

import { asRecord, asText, asTime } from '../../shared/json';
import { follow, type Following, type Turn } from './follow';
import type { RaceState } from './races';

/** Kept for this tab, so that a page that is loaded anew goes on with its race; other tabs look at what they like. */
const keyOf = (uid: string) => `photofinish-control-${uid}`;

function remembered(uid: string): Following | undefined {
  try {
    const kept = asRecord(JSON.parse(sessionStorage.getItem(keyOf(uid)) ?? 'null'));
    return asText(kept.id)
      ? { id: asText(kept.id), shownAt: asTime(kept.shownAt), from: asTime(kept.from), done: kept.done === true }
      : undefined;
  } catch {
    return undefined; // no storage in this browser
  }
}

function remember(uid: string, following: Following | undefined): void {
  try {
    sessionStorage.setItem(keyOf(uid), JSON.stringify(following ?? null));
  } catch {
    // what cannot be kept is not followed after the page was loaded anew
  }
}

/** Which race the dashboard follows. */
export function useFollowing(uid: string): [Following | undefined, (following: Following | undefined) => void] {
  const [kept, setKept] = useState({ uid, following: remembered(uid) });
  const current = kept.uid === uid ? kept : { uid, following: remembered(uid) };
  const set = (following: Following | undefined) => {
    remember(uid, following);
    setKept({ uid, following });
  };
  return [current.following, set];
}

/** Turns the dashboard as the race that is followed moves on. */
export function useTurning(
  [following, setFollowing]: ReturnType<typeof useFollowing>,
  race: RaceState | undefined,
  chosen: string | undefined,
  turn: (turn: Turn) => void
): void {
  useEffect(() => {
    if (!following || !race) {
      return;
    }
    const next = follow(following, race, chosen, Date.now());
    if (next.turn) {
      turn(next.turn);
    }
    if (next.following !== following) {
      setFollowing(next.following);
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the rest is what is read at that moment
  }, [following, race]);
}
