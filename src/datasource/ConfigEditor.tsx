import { css } from '@emotion/css';
import type { DataSourcePluginOptionsEditorProps } from '@grafana/data';
import { config } from '@grafana/runtime';
import { DataSourceHttpSettings, FieldSet, InlineField, Input, RadioButtonGroup, SecretInput, Stack } from '@grafana/ui';
import React, { useId } from 'react';

import type { RaceSecrets, RaceSettings } from '../shared/settings';
import { AppMapField } from './AppMapField';
import { LabelsField } from './LabelsField';
import { configLabelWidth } from './widths';

type Props = DataSourcePluginOptionsEditorProps<RaceSettings, RaceSecrets>;

const methods = [
  { value: 'POST' as const, label: 'POST', description: 'For long queries; what Prometheus recommends' },
  { value: 'GET' as const, label: 'GET', description: 'For proxies that let only GET through' },
];

/** "Save & test" below it is Grafana's own and asks the back end, which looks at each part. */
export function ConfigEditor({ options, onOptionsChange }: Props) {
  const id = useId();
  const { jsonData, secureJsonFields, secureJsonData, readOnly } = options;
  const set = (change: Partial<RaceSettings>) => onOptionsChange({ ...options, jsonData: { ...jsonData, ...change } });
  return (
    <>
      <DataSourceHttpSettings
        defaultUrl="http://localhost:9090"
        urlLabel="Prometheus URL"
        urlDocs={
          <p>
            The Prometheus (or Mimir, Thanos, VictoriaMetrics) that k6 writes to and that scrapes cAdvisor, as the Grafana server reaches
            it. A tenant is a custom header, e.g. X-Scope-OrgID.
          </p>
        }
        dataSourceConfig={options}
        onChange={onOptionsChange}
        showForwardOAuthIdentityOption
        secureSocksDSProxyEnabled={config.secureSocksDSProxyEnabled}
      />
      <div className={css({ maxWidth: 640 })}>
        <FieldSet label="Queries">
          <InlineField label="HTTP method" labelWidth={configLabelWidth} tooltip="How Prometheus is asked." disabled={readOnly}>
            <RadioButtonGroup options={methods} value={jsonData.httpMethod ?? 'POST'} onChange={(httpMethod) => set({ httpMethod })} />
          </InlineField>
        </FieldSet>
        <FieldSet label="Companion runner (optional)">
          <InlineField
            label="Runner URL"
            labelWidth={configLabelWidth}
            disabled={readOnly}
            grow
            tooltip="Where “photofinish serve” listens, as the Grafana server reaches it. Without a runner, races are shown but not started."
          >
            <Input
              id={`${id}-runner`}
              type="url"
              placeholder="http://localhost:8737"
              value={jsonData.runnerUrl ?? ''}
              onChange={(event) => set({ runnerUrl: event.currentTarget.value.trim() })}
            />
          </InlineField>
          <InlineField
            label="Runner token"
            labelWidth={configLabelWidth}
            disabled={readOnly}
            grow
            tooltip="The bearer token of the runner's configuration. It is stored encrypted and never sent to the browser."
          >
            <SecretInput
              id={`${id}-token`}
              placeholder="The token of the runner's configuration"
              isConfigured={Boolean(secureJsonFields?.runnerToken)}
              value={secureJsonData?.runnerToken ?? ''}
              onChange={(event) =>
                onOptionsChange({ ...options, secureJsonData: { ...secureJsonData, runnerToken: event.currentTarget.value } })
              }
              onReset={() =>
                onOptionsChange({
                  ...options,
                  secureJsonFields: { ...secureJsonFields, runnerToken: false },
                  secureJsonData: { ...secureJsonData, runnerToken: '' },
                })
              }
            />
          </InlineField>
        </FieldSet>
        <FieldSet label="Containers of apps that the runner did not start">
          <Stack direction="column" gap={2}>
            <LabelsField value={jsonData.appLabels} onChange={(appLabels) => set({ appLabels })} disabled={readOnly} />
            <AppMapField value={jsonData.appMap} onChange={(appMap) => set({ appMap })} disabled={readOnly} />
          </Stack>
        </FieldSet>
      </div>
    </>
  );
}
