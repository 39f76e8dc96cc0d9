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

/**
 * Turns the dashboard: other panels follow its variable and its time range. A dashboard that refreshes itself needs no more than an end that is now;
 * the others are taken on with the race, unless somebody has looked at another time since.
 */
function turnDashboard({ race, from, to, kind }: Turn): void {
  const search = locationService.getSearch();
  const refreshes = Boolean(search.get('refresh'));
  if (kind === 'onward' && (refreshes || timeOf(search.get('from')) !== from)) {
    return;
  }
  const end = kind !== 'whole' && refreshes ? 'now' : String(to);
  locationService.partial({ 'var-race': race, from: String(from), to: end }, true);
}

/** A time in the address as we write it, or as Grafana writes it anew. */
function timeOf(text: string | null): number {
  return /^\d+$/.test(text ?? '') ? Number(text) : Date.parse(text ?? '');
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
