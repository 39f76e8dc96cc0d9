import { type CoreApp, CoreApp as Apps, type QueryEditorProps } from '@grafana/data';
import { Combobox, InlineField } from '@grafana/ui';
import React, { useId } from 'react';

import { changeType, newQuery, type RaceQuery, readQuery } from '../shared/query';
import type { RaceSettings } from '../shared/settings';
import type { DataSource } from './DataSource';
import { QueryForm } from './QueryForm';
import { tips, typeChoices } from './texts';
import { labelWidth } from './widths';

type Props = QueryEditorProps<DataSource, RaceQuery, RaceSettings>;

/** Grafana fills what a query lacks with a new one's parts before it is sent; an alert rule's goes as it is stored. */
function asSent(query: RaceQuery, app?: CoreApp): RaceQuery {
  return app === Apps.UnifiedAlerting ? query : { ...newQuery, ...query };
}

export function QueryEditor({ app, datasource, query: stored, range, onChange, onRunQuery }: Props) {
  const id = useId();
  const query = readQuery(asSent(stored, app));
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
