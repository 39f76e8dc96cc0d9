import { css } from '@emotion/css';
import type { AppRootProps } from '@grafana/data';
import { PluginPage } from '@grafana/runtime';
import { Stack, Text, TextLink } from '@grafana/ui';
import React from 'react';

import { appId } from '../shared/names';
import { type Dashboard, dashboardsOf } from './contents';
import { LastRaces } from './LastRaces';
import { isAdmin, raceSources, Setup } from './Setup';
import { useFoundDashboards } from './useSetup';

/** The first page: whether all is set up, where to look, and what was raced last. What it is for stands above, as Grafana shows the app's description. */
export function Overview({ meta }: AppRootProps) {
  const dashboards = dashboardsOf(meta.includes, useFoundDashboards());
  const [first] = raceSources();
  return (
    <PluginPage>
      <Stack direction="column" gap={4}>
        <section>
          <Stack direction="column" gap={2}>
            <Text element="h3">Set-up</Text>
            <Setup />
          </Stack>
        </section>
        {dashboards.length > 0 && (
          <section>
            <Text element="h3">Dashboards</Text>
            <Dashboards dashboards={dashboards} />
          </section>
        )}
        {first && (
          <section>
            <Text element="h3">Last races</Text>
            <LastRaces uid={first.uid} dashboards={dashboards} />
          </section>
        )}
      </Stack>
    </PluginPage>
  );
}

const list = css({ listStyle: 'none', margin: '8px 0 0', '& > li': { padding: '2px 0' } });

function Dashboards({ dashboards }: { dashboards: Dashboard[] }) {
  const missing = dashboards.some(({ href }) => !href);
  return (
    <>
      <ul className={list}>
        {dashboards.map(({ name, href }) => (
          <li key={name}>{href ? <TextLink href={href}>{name}</TextLink> : <Text color="secondary">{name}</Text>}</li>
        ))}
      </ul>
      {missing && isAdmin() && (
        <Text color="secondary">
          Those without a link are not imported yet: <TextLink href={`/plugins/${appId}?page=dashboards`}>import them</TextLink>.
        </Text>
      )}
    </>
  );
}
