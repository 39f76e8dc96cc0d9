import { css } from '@emotion/css';
import type { AppRootProps } from '@grafana/data';
import { PluginPage } from '@grafana/runtime';
import { TextLink } from '@grafana/ui';
import React from 'react';

import { contentsOf } from './contents';

const list = css({ paddingLeft: '1.25rem' }); // Grafana's reset leaves the bullets outside the page

/** The first page: where to begin, and what the app brings. What it is for stands above, as Grafana shows the app's description. */
export function Overview({ meta }: AppRootProps) {
  return (
    <PluginPage>
      <p>
        To begin, add the data source and give it the address of the Prometheus that k6 writes to and that scrapes cAdvisor. Races run by
        hand with <code>k6 run --tag testid=…</code> are shown too; a companion runner is needed only to start races from Grafana.
      </p>
      <h3>What the app brings</h3>
      <ul className={list}>
        {contentsOf(meta.includes).map(({ name, kind, href, action }) => (
          <li key={`${kind} ${name}`}>
            {kind}: {name} {href && <TextLink href={href}>{action ?? name}</TextLink>}
          </li>
        ))}
      </ul>
    </PluginPage>
  );
}
