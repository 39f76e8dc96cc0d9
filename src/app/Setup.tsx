import { css } from '@emotion/css';
import type { DataSourceInstanceSettings, GrafanaTheme2, IconName } from '@grafana/data';
import { config, getDataSourceSrv } from '@grafana/runtime';
import { Alert, Button, Icon, LinkButton, LoadingPlaceholder, Stack, Text, useStyles2 } from '@grafana/ui';
import React, { useState } from 'react';

import { dataSourceId } from '../shared/names';
import type { Check } from './checks';
import { useChecks } from './useSetup';

const addHref = `/connections/datasources/${dataSourceId}`;

/** Whether the user may add and change data sources. */
export function isAdmin(): boolean {
  const { user } = config.bootData;
  return user.orgRole === 'Admin' || user.isGrafanaAdmin === true;
}

export function raceSources(): DataSourceInstanceSettings[] {
  return getDataSourceSrv().getList({ pluginId: dataSourceId });
}

/** The data sources of the app with what works and what is missing; before there is one, how to add it. */
export function Setup() {
  const sources = raceSources();
  if (sources.length === 0) {
    return (
      <Alert severity="info" title="Add a data source to begin">
        <Stack direction="column" gap={1} alignItems="flex-start">
          <span>
            Give it the address of the Prometheus that k6 writes to and that scrapes cAdvisor. A companion runner is needed only to start
            races from Grafana.
          </span>
          {isAdmin() ? (
            <LinkButton icon="plus" href={addHref}>
              Add a data source
            </LinkButton>
          ) : (
            <span>Ask an administrator of this Grafana to add it: that needs the role Admin.</span>
          )}
        </Stack>
      </Alert>
    );
  }
  return (
    <Stack direction="column" gap={3}>
      {sources.map((source) => (
        <Source key={source.uid} source={source} />
      ))}
    </Stack>
  );
}

function Source({ source: { uid, name } }: { source: DataSourceInstanceSettings }) {
  const [round, setRound] = useState(0);
  const checks = useChecks(uid, round);
  return (
    <section aria-label={`Set-up of ${name}`}>
      <Stack direction="row" gap={2} alignItems="center" wrap="wrap">
        <Text element="h4">{name}</Text>
        {isAdmin() && (
          <LinkButton variant="secondary" fill="text" size="sm" icon="cog" href={`/connections/datasources/edit/${uid}`}>
            Settings
          </LinkButton>
        )}
        <Button variant="secondary" fill="text" size="sm" icon="sync" disabled={!checks} onClick={() => setRound(round + 1)}>
          Check again
        </Button>
      </Stack>
      <div role="status">{checks ? <Checks checks={checks} /> : <LoadingPlaceholder text="Checking each part…" />}</div>
    </section>
  );
}

const marks: Record<Check['state'], { icon: IconName; colour: 'success' | 'error' | 'warning'; word: string }> = {
  ok: { icon: 'check-circle', colour: 'success', word: 'works' },
  wanting: { icon: 'times-circle', colour: 'error', word: 'does not work' },
  advice: { icon: 'exclamation-triangle', colour: 'warning', word: 'missing' },
};

function Checks({ checks }: { checks: Check[] }) {
  const styles = useStyles2(checkStyles);
  return (
    <ul className={styles.list}>
      {checks.map(({ name, state, message }) => (
        <li key={name} className={styles.check}>
          <Text color={marks[state].colour}>
            <Icon name={marks[state].icon} title={marks[state].word} />
          </Text>
          <span className={styles.name}>{name}</span>
          <span>{message}</span>
        </li>
      ))}
    </ul>
  );
}

const checkStyles = (theme: GrafanaTheme2) => ({
  list: css({ listStyle: 'none', margin: theme.spacing(1, 0, 0), padding: 0 }),
  check: css({
    display: 'grid',
    gridTemplateColumns: '20px minmax(0, 160px) minmax(0, 1fr)',
    gap: theme.spacing(1),
    padding: theme.spacing(0.75, 0),
    maxWidth: 900,
    [theme.breakpoints.down('sm')]: { gridTemplateColumns: '20px 1fr', '& > :last-child': { gridColumn: 2 } },
  }),
  name: css({ fontWeight: theme.typography.fontWeightMedium }),
});
