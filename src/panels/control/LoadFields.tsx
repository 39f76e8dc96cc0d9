import { Field, Input, useStyles2 } from '@grafana/ui';
import React, { useId } from 'react';

import type { Definition } from './definition';
import type { Errors, Field as Key } from './errors';
import type { Form } from './form';
import { panelStyles } from './styles';
import { numberText } from './words';

interface Props {
  script: Definition;
  form: Form;
  errors: Errors;
  disabled: boolean;
  onChange: (change: Partial<Form>) => void;
}

interface Number {
  key: 'rate' | 'vus' | 'duration' | 'heats' | 'warmup';
  error: Key;
  label: string;
  description: string;
  unit?: string;
  placeholder: (script: Definition) => string;
}

const seconds = (ms: number) => numberText(ms / 1000);

const numbers: Number[] = [
  {
    key: 'rate',
    error: 'load.rate',
    label: 'Rate',
    description: 'Per second and lane',
    unit: '/s',
    placeholder: ({ rate }) => numberText(rate) || 'none',
  },
  {
    key: 'vus',
    error: 'load.vus',
    label: 'VUs',
    description: 'Per lane',
    placeholder: ({ vus }) => numberText(vus) || 'as needed',
  },
  {
    key: 'duration',
    error: 'load.duration',
    label: 'Duration',
    description: 'Per lane and heat',
    unit: 's',
    placeholder: ({ durationMs }) => seconds(durationMs),
  },
  { key: 'heats', error: 'heats', label: 'Heats', description: 'A verdict takes 6', placeholder: ({ heats }) => numberText(heats) },
  {
    key: 'warmup',
    error: 'warmup',
    label: 'Warm-up',
    description: 'Before each heat',
    unit: 's',
    placeholder: ({ warmupMs }) => seconds(warmupMs),
  },
];

/** The load and the heats. An empty field leaves the script's word, which it shows. */
export function LoadFields({ script, form, errors, disabled, onChange }: Props) {
  const styles = useStyles2(panelStyles);
  const id = useId();
  return (
    <div className={styles.fields}>
      {numbers.map(({ key, error, label, description, unit, placeholder }) => (
        <Field key={key} label={label} description={description} error={errors[error]} invalid={Boolean(errors[error])} disabled={disabled}>
          <Input
            id={`${id}-${key}`}
            inputMode="decimal"
            autoComplete="off"
            suffix={unit}
            placeholder={placeholder(script)}
            value={form[key]}
            onChange={(event) => onChange({ [key]: event.currentTarget.value })}
          />
        </Field>
      ))}
    </div>
  );
}
