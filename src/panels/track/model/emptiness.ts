import type { DataFrame } from '@grafana/data';

import { isLive } from './live';

/** Why there is no race to see, and what to do. */
export interface Emptiness {
  title: string;
  steps: string[];
}

export function emptiness(frames: readonly DataFrame[], errors: readonly string[] = []): Emptiness {
  const notices = [...new Set(frames.flatMap((frame) => frame.meta?.notices ?? []).map(({ text }) => text))];
  if (errors.length > 0) {
    return { title: 'The race cannot be asked for', steps: [...new Set(errors), ...notices] };
  }
  if (frames.some(isLive)) {
    return {
      title: 'No race yet',
      steps: [
        ...notices,
        'Press Start race in the control panel, choose a longer time range, or run k6 with --tag testid=… and a tag app for each contestant.',
      ],
    };
  }
  const elapsed = frames.find((frame) => frame.fields[0]?.name === 'elapsed');
  if (elapsed) {
    return {
      title: 'Nothing of this race is known',
      steps: [...notices, 'The time series need the measure request_rate: positions are requests.'],
    };
  }
  return {
    title: 'This panel needs a race',
    steps: [
      ...notices,
      'Choose a Photofinish data source and add a query of type Live; for replays also Time series, since the start, with the measures request_rate, latency_p95, error_rate, cpu_cores and memory_working_set.',
    ],
  };
}
