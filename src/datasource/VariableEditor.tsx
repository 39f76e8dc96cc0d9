import type { QueryEditorProps } from '@grafana/data';
import { Combobox, InlineField } from '@grafana/ui';
import React, { useId } from 'react';

import type { RaceQuery } from '../shared/query';
import type { RaceSettings } from '../shared/settings';
import { readVariableQuery, type VariableKind, type VariableQuery } from '../shared/variableQuery';
import { matching, raceOptions } from './choices';
import type { DataSource } from './DataSource';
import { NameField } from './NameField';
import { lastDay } from './range';
import { tips } from './texts';
import { labelWidth } from './widths';

type Props = QueryEditorProps<DataSource, RaceQuery, RaceSettings, VariableQuery>;

const kinds: Array<{ value: VariableKind; label: string; description: string }> = [
  { value: 'races', label: 'Races', description: 'Ids of races, and the newest finished one' },
  { value: 'names', label: 'Names', description: 'Names of races' },
  { value: 'apps', label: 'Apps', description: 'The apps of a race' },
  { value: 'baselines', label: 'Baselines', description: 'The apps of a race, its recorded baseline first' },
  { value: 'measures', label: 'Measures', description: 'The measures that can be compared, a race’s own among them' },
];

export function VariableEditor({ datasource, query, range = lastDay(), onChange }: Props) {
  const id = useId();
  const read = readVariableQuery(query);
  const { kind, race, name } = read;
  const set = (change: Partial<VariableQuery>) => onChange({ ...read, ...change });
  return (
    <>
      <InlineField label="Values" tooltip={tips.kind} labelWidth={labelWidth} grow>
        <Combobox id={`${id}-kind`} options={kinds} value={kind} onChange={(chosen) => set({ kind: chosen.value })} />
      </InlineField>
      {(kind === 'apps' || kind === 'baselines' || kind === 'measures') && (
        <InlineField label="Race" tooltip={tips.ofRace} labelWidth={labelWidth} grow>
          <Combobox
            id={`${id}-race`}
            options={async (typed) => matching(await raceOptions(datasource, range), typed)}
            value={race}
            onChange={(chosen) => set({ race: chosen.value })}
            placeholder="Race id or variable"
          />
        </InlineField>
      )}
      {kind !== 'names' && <NameField id={`${id}-name`} value={name} onChange={(changed) => set({ name: changed })} />}
    </>
  );
}
