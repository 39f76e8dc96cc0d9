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

/** "gone" is a panel whose data source is not there any more. */
export function sceneOf(panel: string, name: string): Scene {
  const errors = name === 'gone' ? [{ message: 'Data source not found' }] : undefined;
  switch (panel) {
    case 'track':
      return { errors, ...trackScenes[name]?.() };
    case 'finish':
      return { errors, ...finishScene(name) };
    default:
      return controlScene(name);
  }
}
