import { isOver, type Lane, type Moment, type Race } from './race';

/**
 * Puts what Prometheus remembers of a race before what was seen of it live. Counts that were seen are exact. Those of the past are rates that were
 * added up, and the edges of heats are missing in them: they are stretched to the first exact count, so that nobody jumps there.
 */
export function withPast(live: Race, past: Race | undefined): Race {
  if (!past) {
    return live;
  }
  const baseline = past.lanes.find((lane) => lane.baseline)?.app; // of the query, which the stream does not know
  const lanes = live.lanes.map((lane) => {
    const remembered = past.lanes.find(({ app }) => app === lane.app)?.moments ?? [];
    return {
      ...lane,
      baseline: baseline === undefined ? lane.baseline : lane.app === baseline,
      moments: isOver(live) ? replayed(lane, remembered, live.took) : joined(lane.moments, remembered),
    };
  });
  const heatStarts = past.heatStarts.length >= live.heatStarts.filter(Number.isFinite).length ? past.heatStarts : live.heatStarts;
  return { ...live, heats: live.heats || past.heats, heatStarts, lanes };
}

function joined(seen: readonly Moment[], remembered: readonly Moment[]): Moment[] {
  const first = seen[0];
  if (!first) {
    return [...remembered];
  }
  return [
    ...stretched(
      remembered.filter(({ at }) => at < first.at),
      first.requests
    ),
    ...seen,
  ];
}

/** Of a race that is over the last moment tells the whole race; the way there is whichever was told in more moments. */
function replayed(lane: Lane, remembered: readonly Moment[], took?: number): Moment[] {
  const last = lane.moments[lane.moments.length - 1];
  if (!last) {
    return [...remembered];
  }
  if (remembered.length <= lane.moments.length) {
    return lane.moments;
  }
  const way = stretched(remembered, last.requests);
  // The last steps of a series, and the event that tells the end, lie a little behind it.
  const end = took ?? Math.max(last.at, way[way.length - 1]?.at ?? 0);
  // Prometheus does not tell when a lane left the race: it had, once nothing more was answered.
  const stopped = last.out ? remembered.map(({ rate = 0 }) => rate > 0).lastIndexOf(true) : way.length;
  const told = way.map((moment, i) => (i > stopped ? { ...moment, out: last.out } : moment));
  return [...told.filter(({ at }) => at < end), { ...last, at: end }];
}

/** Stretches counts so that they end in the given one. */
function stretched(moments: readonly Moment[], requests: number): Moment[] {
  const sum = moments[moments.length - 1]?.requests ?? 0;
  return moments.map((moment) => ({ ...moment, requests: sum > 0 ? (moment.requests / sum) * requests : 0 }));
}
