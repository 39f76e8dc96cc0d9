import { Button, IconButton, InlineField, InlineFieldRow, Input } from '@grafana/ui';
import React, { useState } from 'react';

import { type MapRow, mapRows, rowsMap } from '../shared/settings';
import { configLabelWidth } from './widths';

interface Props {
  value?: Record<string, string>;
  /** As of settings that are provisioned. */
  disabled?: boolean;
  onChange: (map: Record<string, string> | undefined) => void;
}

const tip = 'Only for apps whose k6 tag "app" differs from the value of the container’s label.';

/** The map from app to container, as rows. The rows are kept here, because a half written one is no part of the map yet. */
export function AppMapField({ value, disabled, onChange }: Props) {
  const [rows, setRows] = useState<MapRow[]>(() => mapRows(value));
  const write = (changed: MapRow[]) => {
    setRows(changed);
    onChange(rowsMap(changed));
  };
  const set = (row: number, change: Partial<MapRow>) => write(rows.map((one, i) => (i === row ? { ...one, ...change } : one)));
  return (
    <div>
      {rows.map(({ app, container }, row) => (
        <InlineFieldRow key={row}>
          <InlineField label="k6 app" labelWidth={configLabelWidth} tooltip={tip} disabled={disabled} grow shrink>
            <Input
              id={`app-map-app-${row}`}
              value={app}
              placeholder="control"
              onChange={(event) => set(row, { app: event.currentTarget.value })}
            />
          </InlineField>
          <InlineField
            label="is container"
            labelWidth={configLabelWidth}
            tooltip="The value of the label that names the container."
            disabled={disabled}
            grow
          >
            <Input
              id={`app-map-container-${row}`}
              value={container}
              placeholder="shop-control-1"
              onChange={(event) => set(row, { container: event.currentTarget.value })}
            />
          </InlineField>
          <IconButton
            name="trash-alt"
            disabled={disabled}
            tooltip={`Remove the container of ${app || 'this row'}`}
            onClick={() => write(rows.filter((_one, i) => i !== row))}
          />
        </InlineFieldRow>
      ))}
      <Button
        variant="secondary"
        size="sm"
        icon="plus"
        disabled={disabled}
        tooltip={tip}
        onClick={() => setRows([...rows, { app: '', container: '' }])}
      >
        Name an app’s container
      </Button>
    </div>
  );
}
