import { Combobox, Field, Input, RadioButtonGroup, Switch, useStyles2 } from '@grafana/ui';
import React, { useId } from 'react';

import type { Arrivals, Definition, Mode } from './definition';
import type { Errors } from './errors';
import { baselineOf, type Form, racing } from './form';
import { panelStyles } from './styles';

interface Props {
  script: Definition;
  form: Form;
  errors: Errors;
  disabled: boolean;
  onChange: (change: Partial<Form>) => void;
}

const modeChoices: Array<{ value: Mode; label: string; description: string }> = [
  { value: 'auto', label: 'Auto', description: 'Together where every lane and k6 have CPUs of their own, else in turns' },
  { value: 'together', label: 'Together', description: 'All lanes at once' },
  { value: 'turns', label: 'In turns', description: 'One lane at a time, in short blocks in random order' },
];

const arrivalChoices: Array<{ value: Arrivals; label: string; description: string }> = [
  {
    value: 'uniform',
    label: 'Uniform',
    description: 'Each request waits a random part of its tick: lanes do not disturb each other in step',
  },
  { value: 'poisson', label: 'Poisson', description: 'As independent users arrive: queues show' },
  { value: 'even', label: 'Even', description: 'As k6 ticks: a biased measurement, for comparing with others' },
];

/** What is changed more rarely. */
export function MoreFields({ script, form, errors, disabled, onChange }: Props) {
  const styles = useStyles2(panelStyles);
  const id = useId();
  const at = (key: keyof Errors) => ({ error: errors[key], invalid: Boolean(errors[key]), disabled });
  const apps = racing(script, form).map((app) => ({ value: app, label: app }));
  return (
    <>
      <Field label="Mode" description="How the lanes share the machine" {...at('mode')}>
        <RadioButtonGroup
          id={`${id}-mode`}
          options={modeChoices}
          value={form.mode ?? script.mode}
          disabled={disabled}
          onChange={(mode) => onChange({ mode })}
        />
      </Field>
      <Field label="Arrivals" description="When requests are sent" {...at('arrivals')}>
        <RadioButtonGroup
          id={`${id}-arrivals`}
          options={arrivalChoices}
          value={form.arrivals ?? script.arrivals}
          disabled={disabled}
          onChange={(arrivals) => onChange({ arrivals })}
        />
      </Field>
      <div className={styles.fields}>
        <Field label="Baseline" description="What the others are compared with" {...at('baseline')}>
          <Combobox
            id={`${id}-baseline`}
            options={apps}
            value={baselineOf(script, form)}
            disabled={disabled}
            onChange={({ value }) => onChange({ baseline: value })}
          />
        </Field>
        <Field label="Name" description="Races of one name are a history" {...at('name')}>
          <Input
            id={`${id}-name`}
            placeholder={script.raceName}
            value={form.name}
            onChange={(event) => onChange({ name: event.currentTarget.value })}
          />
        </Field>
        <Field label="End once decided" description="Heats are then the most that are run" disabled={disabled}>
          <Switch
            id={`${id}-decided`}
            value={form.untilDecided ?? script.untilDecided}
            onChange={(event) => onChange({ untilDecided: event.currentTarget.checked })}
          />
        </Field>
        <Field
          className={styles.wide}
          label="Find capacity"
          description="The highest rate at which each app keeps these bounds, such as latency_p95<200,error_rate<0.01"
          {...at('find_capacity')}
        >
          <Input
            id={`${id}-capacity`}
            placeholder={script.findCapacity || 'none'}
            value={form.findCapacity}
            onChange={(event) => onChange({ findCapacity: event.currentTarget.value })}
          />
        </Field>
      </div>
    </>
  );
}
