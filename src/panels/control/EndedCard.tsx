import { dateTimeFormat } from '@grafana/data';
import { Alert, type AlertVariant, Text, useStyles2 } from '@grafana/ui';
import React from 'react';

import type { Calls } from '../../shared/calls';
import { sentence } from '../../shared/problem';
import { heatsOf, lengthOf } from '../../shared/words';
import { FailedApps, LogLines } from './FailedApps';
import type { RaceState } from './races';
import { panelStyles } from './styles';

/** How many findings of the audit are shown; the finish has all. */
const shownFindings = 2;

const severities: Record<string, AlertVariant> = { finished: 'success', failed: 'error' };

const titles: Record<string, string> = { finished: 'finished', failed: 'failed', cancelled: 'was stopped', interrupted: 'was interrupted' };

/** How the race that was followed ended. */
export function EndedCard({ calls, race, timeZone, onClose }: { calls: Calls; race: RaceState; timeZone: string; onClose: () => void }) {
  const styles = useStyles2(panelStyles);
  const unfair = race.status === 'finished' && race.unfair.length > 0;
  const quoted = race.lanes.every(({ out }) => out === '') ? race.printed : [];
  const took = race.startedAt !== undefined && race.finishedAt !== undefined ? lengthOf(race.finishedAt - race.startedAt) : '';
  const heats = heatsOf(race.heatsRun, race.heats);
  const when = race.finishedAt === undefined ? '' : dateTimeFormat(race.finishedAt, { timeZone });
  return (
    <Alert
      severity={unfair ? 'warning' : (severities[race.status] ?? 'warning')}
      title={`${race.name || race.id} ${titles[race.status] ?? race.status}`}
      onRemove={onClose}
      topSpacing={0}
      bottomSpacing={1.5}
    >
      {race.error && <div>{sentence(race.error)}</div>}
      {quoted.length > 0 && <LogLines label="What was printed last" lines={quoted} />}
      {unfair && (
        <>
          <div>It failed its audit, so nobody is called faster or slower:</div>
          <ul className={styles.list}>
            {race.unfair.slice(0, shownFindings).map((finding) => (
              <li key={finding}>{finding}</li>
            ))}
            {race.unfair.length > shownFindings && <li>and {race.unfair.length - shownFindings} more findings</li>}
          </ul>
        </>
      )}
      <Text variant="bodySmall" color="secondary">
        {[heats, took, when].filter(Boolean).join(' · ')}
      </Text>
      <FailedApps calls={calls} race={race} />
    </Alert>
  );
}
