import { Checkbox, Input, Text, useStyles2 } from '@grafana/ui';
import React from 'react';

import { colourOf } from '../../shared/livery';
import type { Definition, LaneDefinition } from './definition';
import { baselineOf, type Form } from './form';
import { panelStyles } from './styles';
import { bytesOf, limitWords } from './words';

interface Props {
  script: Definition;
  form: Form;
  error?: string;
  disabled: boolean;
  onChange: (change: Partial<Form>) => void;
}

/** The lanes of the script: which of them race, and with which limits where the runner lets a request say so. */
export function LanesField({ script, form, error, disabled, onChange }: Props) {
  const styles = useStyles2(panelStyles);
  const limits = script.resourcesAllowed !== false;
  const livery = { apps: script.lanes.map(({ app }) => app), baseline: baselineOf(script, form) };
  const rest = (app: string, races: boolean) =>
    onChange({ resting: races ? form.resting.filter((other) => other !== app) : [...form.resting, app] });
  return (
    <fieldset className={styles.section}>
      <legend className={styles.legend}>Lanes</legend>
      {limits && (
        <div className={styles.lane} aria-hidden>
          <span />
          <Text color="secondary" variant="bodySmall">
            CPUs
          </Text>
          <Text color="secondary" variant="bodySmall">
            Memory
          </Text>
        </div>
      )}
      {script.lanes.map((lane) => (
        <div key={lane.app} className={styles.lane}>
          <div className={styles.app} title={`${lane.app}: ${lane.from}`}>
            <Checkbox
              aria-label={`${lane.app} races`}
              value={!form.resting.includes(lane.app)}
              disabled={disabled}
              onChange={(event) => rest(lane.app, event.currentTarget.checked)}
            />
            <span className={styles.colour} style={{ background: colourOf(livery, lane.app) }} />
            <span className={styles.appName}>
              {lane.app}{' '}
              {lane.app === livery.baseline && (
                <Text color="secondary" variant="bodySmall">
                  baseline
                </Text>
              )}
            </span>
          </div>
          {limits && lane.started ? (
            <Limits lane={lane} form={form} disabled={disabled || form.resting.includes(lane.app)} onChange={onChange} />
          ) : (
            <span style={{ gridColumn: 'span 2', textAlign: 'right' }}>
              <Text color="secondary" variant="bodySmall">
                {limitWords(lane)}
              </Text>
            </span>
          )}
        </div>
      ))}
      {!limits && (
        <Text color="secondary" variant="bodySmall">
          Limits are the script’s: the runner lets no request change them (lanes.resources).
        </Text>
      )}
      {error && (
        <div role="alert">
          <Text color="error" variant="bodySmall">
            {error}
          </Text>
        </div>
      )}
    </fieldset>
  );
}

function Limits({ lane, form, disabled, onChange }: { lane: LaneDefinition } & Pick<Props, 'form' | 'disabled' | 'onChange'>) {
  const { app, cpus, memory } = lane;
  return (
    <>
      <Input
        aria-label={`CPUs of ${app}`}
        inputMode="decimal"
        placeholder={cpus === undefined ? 'no limit' : String(cpus)}
        value={form.cpus[app] ?? ''}
        disabled={disabled}
        onChange={(event) => onChange({ cpus: { ...form.cpus, [app]: event.currentTarget.value } })}
      />
      <Input
        aria-label={`Memory of ${app}, like 128m`}
        placeholder={memory === undefined ? 'no limit' : bytesOf(memory)}
        value={form.memory[app] ?? ''}
        disabled={disabled}
        onChange={(event) => onChange({ memory: { ...form.memory, [app]: event.currentTarget.value } })}
      />
    </>
  );
}
