import { DataSourcePlugin } from '@grafana/data';

import type { RaceQuery } from '../shared/query';
import type { RaceSecrets, RaceSettings } from '../shared/settings';
import { ConfigEditor } from './ConfigEditor';
import { DataSource } from './DataSource';
import { QueryEditor } from './QueryEditor';

export const plugin = new DataSourcePlugin<DataSource, RaceQuery, RaceSettings, RaceSecrets>(DataSource)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor);
