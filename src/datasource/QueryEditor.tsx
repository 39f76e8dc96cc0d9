import type { QueryEditorProps } from '@grafana/data';
import { Combobox, InlineField } from '@grafana/ui';
import React, { useId } from 'react';

import { changeType, type RaceQuery, readQuery } from '../shared/query';
import type { RaceSettings } from '../shared/settings';
import type { DataSource } from './DataSource';
import { QueryForm } from './QueryForm';
import { tips, typeChoices } from './texts';
import { labelWidth } from './widths';

type Props = QueryEditorProps<DataSource, RaceQuery, RaceSettings>;

export function QueryEditor({ datasource, query: stored, range, onChange, onRunQuery }: Props) {
  const id = useId();
  const query = readQuery(stored);
  const write = (changed: RaceQuery) => {
    onChange(changed);
    onRunQuery();
  };
  return (
    <>
      <InlineField label="Query type" tooltip={tips.type} labelWidth={labelWidth} grow>
        <Combobox
          id={`${id}-type`}
          options={typeChoices}
          value={query.queryType ?? null}
          onChange={({ value }) => write(changeType(query, value))}
          placeholder="Choose what to ask for"
        />
      </InlineField>
      <QueryForm datasource={datasource} query={query} range={range} onChange={write} />
    </>
  );
}
