import type { QueryEditorProps } from '@grafana/data';
import React from 'react';

import { type RaceQuery, readQuery } from '../shared/query';
import type { DataSource } from './DataSource';
import { QueryForm } from './QueryForm';

/** The query editor for annotations, whose type is not to choose. */
export function AnnotationEditor({ datasource, query, onChange, range }: QueryEditorProps<DataSource, RaceQuery>) {
  const write = (changed: RaceQuery) => onChange({ ...changed, queryType: 'events' });
  return <QueryForm datasource={datasource} query={{ ...readQuery(query), queryType: 'events' }} onChange={write} range={range} />;
}
