import type { DataFrame } from '@grafana/data';

import { asRecord, asText } from '../../../shared/json';
import { reader } from '../../../shared/columns';
import type { Lane, Moment, Race } from './race';

/** How many moments of a lane are kept; of more, every second one of the older half goes. Half an hour at five a second is 9,000. */
export const keptMoments = 6000;

/** Says whether a frame is the answer to a query of type `live`. */
export function isLive(frame: DataFrame): boolean {
  const names = frame.fields.map((field) => field.name);
  return ['time', 'app', 'phase', 'requests', 'place'].every((name) => names.includes(name));
}

/** Whose race a live frame tells. */
export function raceOf(frame: DataFrame): { id: string; name: string } {
  const { race, name } = asRecord(frame.meta?.custom);
  return { id: asText(race), name: asText(name) };
}

/**
 * Collects what a stream tells of one race. Grafana keeps the newest rows of a stream only, and hands out all of them each time: what was
 * read already is not read again.
 */
export class LiveRace {
  private race: Race;
  /** Of the newest row that was read, in ms since 1970. */
  private seen = Number.NEGATIVE_INFINITY;
  /** How many rows of that time were read: two events may come in one millisecond. */
  private seenRows = 0;
  /** When the first heat began, in seconds since 1970; until a frame tells, the first row. */
  private origin: number | undefined;
  private known = false;

  constructor(private readonly frameName: { id: string; name: string }) {
    this.race = { ...frameName, status: '', detail: '', phase: '', heats: 0, heatStarts: [], lanes: [] };
  }

  get id(): string {
    return this.frameName.id;
  }

  /** Reads what is new in a frame; true where that was anything. */
  take(frame: DataFrame): boolean {
    const rows = reader(frame);
    const time = (row: number) => rows.number('time', row) ?? 0;
    let first = frame.length;
    while (first > 0 && time(first - 1) >= this.seen) {
      first--;
    }
    const newest = frame.length - 1;
    for (let read = this.seenRows; read > 0 && first <= newest && time(first) === this.seen; read--) {
      first++;
    }
    if (first > newest) {
      return false;
    }
    // Whoever holds the race as it was goes on holding just that; only the lists of moments are grown in place.
    this.race = { ...this.race, heatStarts: [...this.race.heatStarts], lanes: this.race.lanes.map((lane) => ({ ...lane })) };
    for (let row = first; row < frame.length; row++) {
      this.row(rows, row);
    }
    if (time(newest) !== this.seen) {
      this.seenRows = 0;
    }
    this.seen = time(newest);
    for (let row = newest; row >= first && time(row) === this.seen; row--) {
      this.seenRows++;
    }
    this.race.lanes.forEach((lane) => (lane.moments = thinned(lane.moments)));
    return true;
  }

  /** How the race stands. Each change is another object. */
  current(): Race {
    return this.race;
  }

  private row(rows: ReturnType<typeof reader>, row: number): void {
    const seconds = (rows.number('time', row) ?? 0) / 1000;
    const race = this.race;
    const before = race.phase;
    race.status = rows.text('status', row) || 'racing'; // the columns of the contract do not tell: a heat is done, too
    race.detail = rows.text('detail', row);
    race.phase = rows.text('phase', row);
    race.heats = rows.number('heats', row) || race.heats;
    race.remaining = rows.number('remaining', row);
    race.took = rows.number('took', row);
    this.clock(seconds, rows.number('elapsed', row), race);
    const lane = this.lane(rows.text('app', row));
    lane.baseline = rows.flag('baseline', row) ?? lane.baseline;
    lane.cpuLimit = rows.number('cpu_limit', row) ?? lane.cpuLimit;
    lane.memoryLimit = rows.number('memory_limit', row) ?? lane.memoryLimit;
    lane.target = rows.number('target', row) ?? lane.target;
    const requests = rows.number('requests', row) ?? 0;
    const errors = rows.number('errors', row);
    const moment: Moment = {
      at: seconds - (this.origin ?? seconds),
      requests,
      rate: rows.number('rate', row),
      p50: rows.number('p50', row),
      p95: rows.number('p95', row),
      errors: errors === undefined || requests === 0 ? undefined : errors / requests,
      cpu: rows.number('cpu_cores', row),
      memory: rows.number('memory_bytes', row),
      done: rows.number('done', row),
      place: rows.number('place', row),
      heat: rows.number('heat', row),
      racing: rows.flag('racing', row),
      out: rows.text('out', row),
    };
    // Who comes in the middle of a heat has not seen it begin.
    if (race.phase === 'race' && before !== 'race' && before !== '' && moment.heat && race.heatStarts[moment.heat - 1] === undefined) {
      race.heatStarts[moment.heat - 1] = moment.at;
    }
    if (lane.moments[lane.moments.length - 1]?.at === moment.at) {
      lane.moments.pop(); // the later event of the same millisecond knows more
    }
    lane.moments.push(moment);
  }

  /** Moves what was read before the race's clock was known onto it. */
  private clock(seconds: number, elapsed: number | undefined, race: Race): void {
    const told = elapsed !== undefined ? seconds - elapsed : race.phase === 'race' ? seconds : undefined;
    if (this.known || (told === undefined && this.origin !== undefined)) {
      return;
    }
    const origin = told ?? seconds;
    const shift = (this.origin ?? origin) - origin;
    for (const lane of race.lanes) {
      lane.moments.forEach((moment) => (moment.at += shift));
    }
    this.origin = origin;
    this.known = told !== undefined;
  }

  private lane(app: string): Lane {
    let lane = this.race.lanes.find((one) => one.app === app);
    if (!lane) {
      lane = { app, baseline: false, moments: [] };
      this.race.lanes.push(lane);
    }
    return lane;
  }
}

function thinned(moments: Moment[]): Moment[] {
  const half = keptMoments / 2;
  return moments.length <= keptMoments ? moments : moments.filter((_, i) => i >= half || i % 2 === 0);
}
