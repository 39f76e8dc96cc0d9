import type { DataFrame } from '@grafana/data';

import { shownByDefault } from '../../../src/panels/finish/options';
import { capacities, made, recorded } from '../../../src/panels/finish/testdata/frames';
import type { Scene } from './scenes';

const names = (n: number) => Array.from({ length: n }, (_, i) => `app-${i}`);
const long = `checkout-${'very-'.repeat(36)}long`;

export const finishFrames: Record<string, DataFrame[]> = {
  race: recorded.race,
  unfair: recorded.unfair,
  two: recorded.two,
  none: [],
  thirty: made(names(30)),
  names: made(['control', long, '🦊🚀 caché', '<img src=x onerror=alert(1)>']),
  alone: made(['alone']),
  capacity: capacities(),
  once: made(['a', 'b'], { heats: 1 }),
};

export function finishScene(name: string): Scene {
  const request = { targets: [{ refId: 'A', queryType: 'verdict' }] };
  return { frames: () => finishFrames[name] ?? [], request, options: { ...shownByDefault } };
}
