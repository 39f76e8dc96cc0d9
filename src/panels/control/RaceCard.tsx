import { Button, Stack, Text, useStyles2 } from '@grafana/ui';
import React, { useEffect, useRef } from 'react';

import type { Calls } from '../../shared/calls';
import type { Problem } from '../../shared/problem';
import { FailedApps } from './FailedApps';
import { leftWords, type RaceState, share, statusWords } from './races';
import { StopButton } from './StopButton';
import { panelStyles } from './styles';

interface Props {
  calls: Calls;
  race: RaceState;
  me: string;
  followed: boolean;
  /** Whether the user may stop races. */
  mayStop: boolean;
  /** It was started here a moment ago: the focus goes to it, because the button that had it is gone. */
  fresh: boolean;
  onWatch: () => void;
  onChanged: () => void;
  onProblem: (problem: Problem | undefined) => void;
}

/** A race that has not ended: what it does, how far it is, and how to end it. */
export function RaceCard({ calls, race, me, followed, mayStop, fresh, onWatch, onChanged, onProblem }: Props) {
  const styles = useStyles2(panelStyles);
  const done = share(race);
  const card = useRef<HTMLElement>(null);
  useEffect(() => {
    if (fresh) {
      card.current?.focus();
    }
  }, [fresh]);
  const who = race.by ? (race.by === me ? 'you' : race.by) : '';
  return (
    <section ref={card} tabIndex={-1} className={styles.card} aria-label={`Race ${race.name || race.id}`}>
      <Stack direction="row" justifyContent="space-between" alignItems="center" gap={1} wrap="wrap">
        <Text element="h5" truncate>
          {race.name || race.id}
        </Text>
        <Stack direction="row" gap={1}>
          {!followed && race.status !== 'queued' && (
            <Button variant="secondary" size="sm" icon="eye" onClick={onWatch}>
              Watch
            </Button>
          )}
          {mayStop && <StopButton calls={calls} race={race} me={me} onStopped={onChanged} onProblem={onProblem} />}
        </Stack>
      </Stack>
      {/* Only the words are announced: the time left changes every second. */}
      <span role="status">
        <Text>{statusWords(race)}</Text>
      </span>
      {done !== undefined && (
        <div
          className={styles.bar}
          role="progressbar"
          aria-label={`Progress of ${race.name || race.id}`}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(done * 100)}
        >
          <div className={styles.done} style={{ width: `${done * 100}%` }} />
        </div>
      )}
      <div className={styles.numbers}>
        <Text color="secondary" variant="bodySmall" tabular>
          {[leftWords(race), who && `started by ${who}`, race.script].filter(Boolean).join(' · ')}
        </Text>
      </div>
      <FailedApps calls={calls} race={race} />
    </section>
  );
}
