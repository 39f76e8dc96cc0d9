import { type ComboboxOption, FieldValidationMessage, InlineField, InlineLabel, MultiCombobox } from '@grafana/ui';
import React, { useEffect, useRef, useState } from 'react';

import { matching } from './choices';
import { labelWidth } from './widths';

interface Props {
  id: string;
  label: string;
  tooltip: string;
  placeholder: string;
  value: string[];
  /** How a value is shown; without it by its id. */
  labelOf?: (value: string) => string;
  load: () => Promise<ComboboxOption[]>;
  onChange: (value: string[]) => void;
}

/** A list of ids to choose from what the back end knows. Anything else may be typed, a template variable above all. */
export function ListField({ id, label, tooltip, placeholder, value, labelOf, load, onChange }: Props) {
  const [problem, setProblem] = useState('');
  const field = useRef<HTMLDivElement>(null);
  // Grafana 12.2 passes neither id nor name on to the input, whose placeholder goes with the first value.
  useEffect(() => field.current?.querySelector('input')?.setAttribute('aria-label', label));
  const options = async (typed: string) => {
    try {
      const found = await load();
      setProblem('');
      return matching(found, typed);
    } catch (error) {
      setProblem(reason(error));
      return [];
    }
  };
  const name = (
    <InlineLabel htmlFor={id} tooltip={tooltip} width={labelWidth}>
      {label}
    </InlineLabel>
  );
  return (
    <InlineField label={name} grow>
      <div ref={field}>
        <MultiCombobox
          id={id}
          options={options}
          value={value.map((one) => ({ value: one, label: labelOf?.(one) ?? one }))}
          onChange={(chosen) => onChange(chosen.map((one) => one.value))}
          placeholder={placeholder}
          isClearable
        />
        {problem && <FieldValidationMessage>{`The choices could not be loaded: ${problem}`}</FieldValidationMessage>}
      </div>
    </InlineField>
  );
}

/** The sentence of an error of a resource call or a query. */
export function reason(error: unknown): string {
  if (typeof error === 'object' && error !== null) {
    if ('data' in error && typeof error.data === 'object' && error.data !== null && 'message' in error.data) {
      return String(error.data.message);
    }
    if ('message' in error) {
      return String(error.message);
    }
  }
  return String(error);
}
