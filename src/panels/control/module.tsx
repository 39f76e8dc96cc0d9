import { PanelPlugin, type StandardEditorProps } from '@grafana/data';
import { DataSourcePicker } from '@grafana/runtime';
import React from 'react';

import { dataSourceId } from '../../shared/names';
import { ControlPanel } from './ControlPanel';
import { type ControlOptions, defaultOptions } from './options';

function SourceOption({ value, onChange }: StandardEditorProps<string>) {
  return (
    <DataSourcePicker
      pluginId={dataSourceId}
      current={value || null}
      noDefault
      variables
      placeholder="The dashboard’s, or the only one"
      onChange={({ uid }) => onChange(uid)}
      onClear={() => onChange('')}
    />
  );
}

export const plugin = new PanelPlugin<ControlOptions>(ControlPanel).setPanelOptions((builder) => {
  builder
    .addCustomEditor({
      id: 'datasource',
      path: 'datasource',
      name: 'Data source',
      description: 'Whose runner is controlled.',
      defaultValue: defaultOptions.datasource,
      editor: SourceOption,
    })
    .addTextInput({
      path: 'script',
      name: 'Script',
      description: 'Which script is chosen at first, as the runner names it.',
      defaultValue: defaultOptions.script,
      settings: { placeholder: 'The first one' },
    });
});
