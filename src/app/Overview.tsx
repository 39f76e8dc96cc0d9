import type { AppRootProps } from '@grafana/data';
import { PluginPage } from '@grafana/runtime';
import { TextLink } from '@grafana/ui';
import React from 'react';

import { contentsOf } from './contents';

/** The first page: what the app is for, what it brings, and where to begin. */
export function Overview({ meta }: AppRootProps) {
  return (
    <PluginPage>
      <p>
        Photofinish races versions of a service under the same k6 load and says which one is faster, at what cost per request, and how sure
        that is.
      </p>
      <p>
        To begin, add the data source and give it the address of the Prometheus that k6 writes to and that scrapes cAdvisor. Races run by
        hand with <code>k6 run --tag testid=…</code> are shown too; a companion runner is needed only to start races from Grafana.
      </p>
      <h3>What the app brings</h3>
      <ul>
        {contentsOf(meta.includes).map(({ name, kind, href, action }) => (
          <li key={`${kind} ${name}`}>
            {kind}: {name} {href && <TextLink href={href}>{action ?? name}</TextLink>}
          </li>
        ))}
      </ul>
    </PluginPage>
  );
}
