import type { DataFrame, DataQueryError } from '@grafana/data';

import { controlScene } from './control';
import { finishScene } from './finish';
import { trackScenes } from './track';

/** What a panel is given: frames that the data source's binary sent for real races, or that were made of such. */
export interface Scene {
  frames?: () => DataFrame[];
  /** The frames after so many more events. */
  tell?: (events: number) => DataFrame[];
  errors?: DataQueryError[];
  /** As much of what was asked as the panel looks at. */
  request?: { targets: Array<{ refId: string; queryType?: string }> };
  options?: object;
}

export function sceneOf(panel: string, name: string): Scene {
  switch (panel) {
    case 'track':
      return trackScenes[name]?.() ?? {};
    case 'finish':
      return finishScene(name);
    default:
      return controlScene(name);
  }
}
