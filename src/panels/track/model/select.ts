import type { DataFrame } from '@grafana/data';

import { isHistory, readHistory } from './history';
import { isLive, LiveRace, raceOf } from './live';
import { withPast } from './merge';
import type { Lane, Race } from './race';
import { resultOf } from './result';

export interface Track {
  race: Race;
  /** An earlier race to run against. */
  ghost?: Race;
  /** Whether the race can be looked at at other times than now. */
  replayable: boolean;
  /** Whether the race is told live. */
  live: boolean;
}

/** Finds the race to draw among the frames of the panel, and keeps what was seen of it live from one look to the next. */
export class Selector {
  private seen: LiveRace | undefined;
  private last: Track | undefined;
  // By the list of times: Grafana hands out another frame each time anything of the panel's data changes, around the same lists.
  private history = new WeakMap<object, Race[]>();

  /** failed: where a query failed and nothing came, what was shown before stands; it is told how long nothing was heard. */
  select(frames: readonly DataFrame[], failed = false): Track | undefined {
    const found = this.find(frames);
    this.last = found ?? (failed ? this.last : undefined);
    return this.last;
  }

  private find(frames: readonly DataFrame[]): Track | undefined {
    const past = frames.filter(isHistory).flatMap((frame) => this.read(frame));
    const live = frames.find((frame) => isLive(frame) && frame.length > 0);
    if (!live) {
      const [race, ghost] = past.filter(({ lanes }) => lanes.length > 0);
      return race && { race: withPast(resultOf(frames, race), race), ghost, replayable: true, live: false };
    }
    const name = raceOf(live);
    if (!this.seen || this.seen.id !== name.id) {
      this.seen = new LiveRace(name);
    }
    this.seen.take(live);
    const own = past.find(({ id }) => id === this.seen?.id);
    const race = withPast(this.seen.current(), own);
    const replayable = race.lanes.some(({ moments }) => moments.length > 1);
    return { race, ghost: past.find(({ id, lanes }) => id !== race.id && lanes.length > 0), replayable, live: true };
  }

  private read(frame: DataFrame): Race[] {
    const times: object = frame.fields[0]?.values ?? frame;
    let races = this.history.get(times);
    if (!races) {
      races = readHistory(frame);
      this.history.set(times, races);
    }
    return races;
  }
}

/** What the ghosts are: none, where the baseline is, or where the same app of an earlier race was. */
export type GhostKind = 'none' | 'baseline' | 'race';

/** The lane that a lane is run against. */
export function ghostOf(kind: GhostKind, track: Track, lane: Lane): Lane | undefined {
  switch (kind) {
    case 'baseline':
      return lane.baseline ? undefined : track.race.lanes.find((other) => other.baseline);
    case 'race':
      return track.ghost?.lanes.find(({ app }) => app === lane.app);
    default:
      return undefined;
  }
}
