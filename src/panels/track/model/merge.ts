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
  const way = remembered.length > lane.moments.length ? recalled(remembered, last) : lane.moments;
  // The last steps of a series, and the event that tells the end, lie a little behind it.
  const end = took ?? Math.max(last.at, way[way.length - 1]?.at ?? 0);
  return [...way.filter(({ at }) => at < end), { ...last, at: end }];
}

/** What is remembered of a lane whose last moment is known. Prometheus does not tell when it left the race: it had, once nothing more was answered. */
function recalled(remembered: readonly Moment[], last: Moment): Moment[] {
  const stopped = last.out ? remembered.map(({ rate = 0 }) => rate > 0).lastIndexOf(true) : remembered.length;
  return stretched(remembered, last.requests).map((moment, i) => (i > stopped ? { ...moment, out: last.out } : moment));
}

/** Stretches counts so that they end in the given one. */
function stretched(moments: readonly Moment[], requests: number): Moment[] {
  const sum = moments[moments.length - 1]?.requests ?? 0;
  return moments.map((moment) => ({ ...moment, requests: sum > 0 ? (moment.requests / sum) * requests : 0 }));
}
