import { Button, IconButton, InlineField, InlineFieldRow, Input } from '@grafana/ui';
import React from 'react';

import { defaultAppLabels, moved } from '../shared/settings';
import { configLabelWidth } from './widths';

interface Props {
  value?: string[];
  /** As of settings that are provisioned. */
  disabled?: boolean;
  onChange: (labels: string[] | undefined) => void;
}

const tip =
  'Labels of cAdvisor series whose value may be the app, the most trusted first: for each app the first label that has its name is used. ' +
  `Without any: ${defaultAppLabels.join(', ')}.`;

/** An ordered list of label names. Order is changed by buttons, which a keyboard reaches, and not by dragging. */
export function LabelsField({ value = [], disabled, onChange }: Props) {
  const write = (labels: string[]) => onChange(labels.length > 0 ? labels : undefined);
  return (
    <div>
      {value.map((label, row) => (
        <InlineFieldRow key={row}>
          <InlineField label={`App label ${row + 1}`} labelWidth={configLabelWidth} tooltip={tip} disabled={disabled} grow shrink>
            <Input
              id={`app-label-${row}`}
              value={label}
              placeholder={defaultAppLabels[0]}
              onChange={(event) => write(value.map((one, i) => (i === row ? event.currentTarget.value : one)))}
            />
          </InlineField>
          <IconButton
            name="arrow-up"
            tooltip={`Move label ${row + 1} up`}
            disabled={disabled || row === 0}
            onClick={() => write(moved(value, row, -1))}
          />
          <IconButton
            name="arrow-down"
            tooltip={`Move label ${row + 1} down`}
            disabled={disabled || row === value.length - 1}
            onClick={() => write(moved(value, row, 1))}
          />
          <IconButton
            name="trash-alt"
            disabled={disabled}
            tooltip={`Remove label ${row + 1}`}
            onClick={() => write(value.filter((_one, i) => i !== row))}
          />
        </InlineFieldRow>
      ))}
      {value.length === 0 && <p>{tip}</p>}
      <Button
        variant="secondary"
        size="sm"
        icon="plus"
        disabled={disabled}
        onClick={() => write(value.length === 0 ? [...defaultAppLabels] : [...value, ''])}
      >
        {value.length === 0 ? 'Change the app labels' : 'Add an app label'}
      </Button>
    </div>
  );
}
