import { dateTimeFormat } from '@grafana/data';
import { Alert, type AlertVariant, Text } from '@grafana/ui';
import React from 'react';

import type { Calls } from '../../shared/calls';
import { sentence } from '../../shared/problem';
import { FailedApps } from './FailedApps';
import type { RaceState } from './races';
import { lengthOf } from './words';

const severities: Record<string, AlertVariant> = { finished: 'success', failed: 'error' };

const titles: Record<string, string> = { finished: 'finished', failed: 'failed', cancelled: 'was stopped', interrupted: 'was interrupted' };

/** How the race that was followed ended. */
export function EndedCard({ calls, race, timeZone, onClose }: { calls: Calls; race: RaceState; timeZone: string; onClose: () => void }) {
  const unfair = race.status === 'finished' && !race.fair;
  const took = race.startedAt !== undefined && race.finishedAt !== undefined ? lengthOf(race.finishedAt - race.startedAt) : '';
  const heats = race.heatsRun === race.heats ? `${race.heats} heats` : `${race.heatsRun} of ${race.heats} heats`;
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
      {unfair && <div>It failed its audit, so nobody is called faster or slower; the finish says why.</div>}
      <Text variant="bodySmall" color="secondary">
        {[heats, took, when].filter(Boolean).join(' · ')}
      </Text>
      <FailedApps calls={calls} race={race} />
    </Alert>
  );
}
