import React, { useEffect, useState } from 'react';

import { isOver } from './model/race';
import type { Track } from './model/select';
import { statusLine, wholeSeconds } from './model/words';
import type { Styles } from './styles';

/** After so long without an event a stream that should tell four a second counts as broken, in seconds. */
const patience = 5;

interface Props {
  styles: Styles;
  track: Track;
  heat: number;
  /** How long it has been going on, in seconds. */
  to: number;
  /** Whether what is shown is how the race stands now. */
  front: boolean;
}

/** Which race this is and what it does; and that nothing is heard of it, where that is so. */
export function StatusLine({ styles, track, heat, to, front }: Props) {
  const { race, live } = track;
  const silence = useSilence(race);
  const racing = live && !isOver(race) && (race.status === 'racing' || race.status === 'warming-up');
  return (
    <div className={styles.status}>
      <b>{race.name || race.id}</b>
      <span>
        {[statusLine(race, heat, to), !live && !isOver(race) && 'from Prometheus, as of the dashboard’s last refresh']
          .filter(Boolean)
          .join(', ')}
      </span>
      {!front && !isOver(race) && live && <span>(replay)</span>}
      {racing && silence >= patience && <span data-stale>No news for {wholeSeconds(silence)}: the stream is asked for again</span>}
    </div>
  );
}

/** Seconds since anything was heard. */
function useSilence(news: unknown): number {
  const [counted, setCounted] = useState({ news, seconds: 0 });
  useEffect(() => {
    const since = performance.now();
    const timer = setInterval(() => setCounted({ news, seconds: Math.floor((performance.now() - since) / 1000) }), 1000);
    return () => clearInterval(timer);
  }, [news]);
  return counted.news === news ? counted.seconds : 0;
}
