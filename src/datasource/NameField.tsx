import { InlineField, Input } from '@grafana/ui';
import React, { type SyntheticEvent } from 'react';

import { tips } from './texts';
import { labelWidth } from './widths';

interface Props {
  id: string;
  value?: string;
  onChange: (name: string) => void;
}

/** The name of races. It is told when it is whole, by Enter or on leaving the field: each letter would be a query. */
export function NameField({ id, value = '', onChange }: Props) {
  const tell = ({ currentTarget }: SyntheticEvent<HTMLInputElement>) => {
    const name = currentTarget.value.trim();
    if (name !== value) {
      onChange(name);
    }
  };
  return (
    <InlineField label="Race name" tooltip={tips.name} labelWidth={labelWidth} grow>
      <Input
        id={id}
        key={value}
        defaultValue={value}
        placeholder="Any name"
        onBlur={tell}
        onKeyDown={(event) => event.key === 'Enter' && tell(event)}
      />
    </InlineField>
  );
}
