import { type DataSourceInstanceSettings, PluginType } from '@grafana/data';

const info = { author: { name: '' }, description: '', links: [], logos: { large: '', small: '' }, screenshots: [], updated: '', version: '' };
const meta = { id: 'photofinish-race-datasource', name: 'Photofinish', type: PluginType.datasource, module: '', baseUrl: '', info };

/** The only data source there is. */
export const instance: DataSourceInstanceSettings = {
  ...{ id: 1, uid: 'pf', type: meta.id, name: 'Photofinish', access: 'proxy', readOnly: false, jsonData: {} },
  meta,
};
