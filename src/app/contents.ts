import { type PluginInclude, PluginIncludeType } from '@grafana/data';

import { dataSourceId } from '../shared/names';

/** A part of the app as the overview shows it. */
export interface Content {
  name: string;
  kind: string;
  /** Where it is used, a path of Grafana; not every part has a page of its own. */
  href?: string;
  action?: string;
}

/** What the app brings, from its own plugin.json: pages are reached through the navigation and left out. */
export function contentsOf(includes: readonly PluginInclude[] = []): Content[] {
  return includes.flatMap((include): Content[] => {
    switch (include.type) {
      case PluginIncludeType.datasource:
        return [{ name: include.name, kind: 'Data source', href: `/connections/datasources/${dataSourceId}`, action: 'Add a data source' }];
      case PluginIncludeType.panel:
        return [{ name: include.name, kind: 'Panel' }];
      case PluginIncludeType.dashboard:
        return [{ name: include.name, kind: 'Dashboard' }];
      default:
        return [];
    }
  });
}
