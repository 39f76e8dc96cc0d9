import { Alert, Collapse, Combobox, Field, LoadingPlaceholder } from '@grafana/ui';
import React, { useId, useState } from 'react';

import { sentenceOf } from '../../shared/problem';
import type { Definition } from './definition';
import { type Errors, folded } from './errors';
import type { Form } from './form';
import { LanesField } from './LanesField';
import { LoadFields } from './LoadFields';
import { MoreFields } from './MoreFields';
import type { Asked } from './useScripts';

interface Props {
  scripts: Asked<string[]>;
  script: string | undefined;
  definition: Asked<Definition>;
  form: Form;
  errors: Errors;
  disabled: boolean;
  onScript: (script: string) => void;
  onChange: (change: Partial<Form>) => void;
}

/** The form of a race. */
export function Setup({ scripts, script, definition, form, errors, disabled, onScript, onChange }: Props) {
  const id = useId();
  const [more, setMore] = useState(false);
  const wrong = scripts.problem ?? definition.problem;
  const error = errors.script ?? (wrong && sentenceOf(wrong));
  const names = scripts.value ?? [];
  if (!scripts.value && !scripts.problem) {
    return <LoadingPlaceholder text="Asking the runner…" />;
  }
  if (scripts.value?.length === 0) {
    return (
      <Alert severity="info" title="The runner has no scripts yet">
        Put a k6 script with lanes into the folder that its configuration names as scripts.folder.
      </Alert>
    );
  }
  const at = { form, errors, disabled, onChange };
  return (
    <>
      <Field label="Script" error={error} invalid={Boolean(error)}>
        <Combobox
          id={`${id}-script`}
          options={names.map((name) => ({ value: name, label: name }))}
          value={script ?? null}
          placeholder="Choose a k6 script of the runner’s folder"
          onChange={({ value }) => onScript(value)}
        />
      </Field>
      {definition.value && (
        <>
          <LanesField script={definition.value} form={form} error={errors.lanes} disabled={disabled} onChange={onChange} />
          <LoadFields script={definition.value} {...at} />
          <Collapse label="More" collapsible isOpen={more || folded.some((field) => errors[field])} onToggle={setMore}>
            <MoreFields script={definition.value} {...at} />
          </Collapse>
        </>
      )}
    </>
  );
}
