import { Text, useStyles2 } from '@grafana/ui';
import React, { useEffect, useState } from 'react';

import { type Calls } from '../../shared/calls';
import { asList, asRecord, asText } from '../../shared/json';
import { exitWords, type LaneState, type RaceState } from './races';
import { panelStyles } from './styles';

/** How many of an app's last lines are shown; the cause of a death is rarely further up. */
const shownLines = 12;

/** The apps that left a race, each with its last words. */
export function FailedApps({ calls, race }: { calls: Calls; race: RaceState }) {
  return (
    <>
      {race.lanes
        .filter(({ out }) => out !== '')
        .map((lane) => (
          <FailedApp key={lane.app} calls={calls} race={race.id} lane={lane} />
        ))}
    </>
  );
}

function FailedApp({ calls, race, lane }: { calls: Calls; race: string; lane: LaneState }) {
  const lines = useLog(calls, race, lane).slice(-shownLines);
  return (
    <div>
      <Text color="error" weight="medium">
        {exitWords(lane)}
      </Text>
      {lines.length > 0 ? (
        <LogLines label={`The last lines of ${lane.app}`} lines={lines} />
      ) : (
        <div>
          <Text color="secondary" variant="bodySmall">
            It printed nothing.
          </Text>
        </div>
      )}
    </div>
  );
}

export function LogLines({ label, lines }: { label: string; lines: string[] }) {
  const styles = useStyles2(panelStyles);
  return (
    <pre className={styles.log} tabIndex={0 /* what scrolls must be reached by the keyboard */} aria-label={label}>
      {lines.join('\n')}
    </pre>
  );
}

/** The lines that the record holds; else those that the runner still has. */
function useLog(calls: Calls, race: string, { app, log }: LaneState): string[] {
  const [asked, setAsked] = useState<string[]>([]);
  const known = log.length > 0;
  useEffect(() => {
    if (known) {
      return;
    }
    let stale = false;
    calls.get(`races/${encodeURIComponent(race)}/logs/${encodeURIComponent(app)}`).then(
      (answer) => void (stale || setAsked(asList(asRecord(answer).lines).map(asText))),
      () => undefined // the race's own error says what happened; its log is a help only
    );
    return () => {
      stale = true;
    };
  }, [calls, race, app, known]);
  return known ? log : asked;
}
