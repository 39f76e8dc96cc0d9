import type { AppPluginMeta, PluginConfigPageProps } from '@grafana/data';
import { Alert, TextLink } from '@grafana/ui';
import React from 'react';

import { appId } from '../shared/names';
import { Setup } from './Setup';

/** The app has no settings of its own: its data sources have them. Whether they are complete is what this page shows. */
export function ConfigPage({ plugin: { meta } }: PluginConfigPageProps<AppPluginMeta>) {
  if (!meta.enabled) {
    return (
      <Alert severity="info" title="Enable the app first">
        Its data source and its panels are off until the app is on; the button is at the top of this page.
      </Alert>
    );
  }
  return (
    <>
      <p>
        The app has no settings of its own: what it needs to know stands in the settings of its data sources. Dashboards and the last races
        are on its <TextLink href={`/a/${appId}`}>first page</TextLink>.
      </p>
      <Setup />
    </>
  );
}
