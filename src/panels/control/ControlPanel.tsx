import type { PanelProps } from '@grafana/data';
import { config, getDataSourceSrv, locationService } from '@grafana/runtime';
import { EmptyState, LinkButton } from '@grafana/ui';
import React, { useMemo } from 'react';

import { callsOf } from '../../shared/calls';
import { dataSourceId } from '../../shared/names';
import { sourceOf } from '../../shared/source';
import { Control } from './Control';
import type { Turn } from './follow';
import type { ControlOptions } from './options';

const raceVariable = '${race}';

/** How often the other panels ask while a race runs, where the dashboard has no rhythm of its own; Grafana allows no shorter one by default. */
const refreshWhileRacing = '5s';

/** Turns the dashboard: other panels follow its variable and its time range. A race that has ended changes no more. */
function turnDashboard({ race, from, to }: Turn): void {
  const now = locationService.getSearch().get('refresh') ?? '';
  const ours = now === '' || now === refreshWhileRacing;
  const refresh = ours ? { refresh: to === 'now' ? refreshWhileRacing : '' } : {};
  locationService.partial({ 'var-race': race, from: String(from), to: String(to), ...refresh }, true);
}

/** The edge to Grafana: which data source is meant, what the dashboard shows, and how it is turned. */
export function ControlPanel({ options, replaceVariables, timeZone, height }: PanelProps<ControlOptions>) {
  const sources = getDataSourceSrv().getList({ pluginId: dataSourceId });
  const source = sourceOf(options.datasource, sources, replaceVariables);
  const uid = source?.uid;
  const calls = useMemo(() => (uid === undefined ? undefined : callsOf(uid)), [uid]);
  const race = replaceVariables(raceVariable);
  if (uid === undefined || !calls) {
    return <NoSource named={options.datasource !== ''} />;
  }
  return (
    <Control
      key={uid}
      uid={uid}
      calls={calls}
      firstScript={options.script}
      me={config.bootData.user.login ?? ''}
      timeZone={timeZone}
      height={height}
      shownRace={race === raceVariable ? undefined : race}
      turn={turnDashboard}
    />
  );
}

function NoSource({ named }: { named: boolean }) {
  if (named) {
    return (
      <EmptyState
        variant="not-found"
        hideImage
        message="The data source that the options of this panel name is not there. Choose another one there."
      />
    );
  }
  return (
    <EmptyState
      variant="call-to-action"
      hideImage
      message="There is no Photofinish data source yet"
      button={
        <LinkButton icon="plus" href={`/connections/datasources/${dataSourceId}`}>
          Add a data source
        </LinkButton>
      }
    />
  );
}
