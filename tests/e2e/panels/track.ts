import { type DataFrame, dataFrameFromJSON, type DataFrameJSON, StreamingDataFrame } from '@grafana/data';

import { endedFrame, historyFrame, packets as live } from '../../../src/panels/track/testdata/frames';
import type { Scene } from './scenes';

/** The columns of a live packet by name. */
function columns(live: DataFrameJSON[], packet: DataFrameJSON): Record<string, unknown[]> {
  const names = live[0]?.schema?.fields.map(({ name }) => name) ?? [];
  return Object.fromEntries(names.map((name, i) => [name, packet.data?.values[i] ?? []]));
}

/** The recorded race with more lanes: each is the recorded one of two, a little slower than the lane before it. */
function crowd(live: DataFrameJSON[], apps: string[]): DataFrameJSON[] {
  return live.map((packet) => {
    const told = columns(live, packet);
    const values = Object.entries(told).map(([name, column]) =>
      apps.map((app, i) => {
        const value = column[i % column.length];
        switch (name) {
          case 'app':
            return app;
          case 'requests':
            return Math.floor(((value as number) * (60 - i)) / 60);
          case 'place':
            return (value as number) > 0 ? i + 1 : 0;
          case 'baseline':
            return i === 0;
          default:
            return value;
        }
      })
    );
    return { ...packet, data: { values } };
  });
}

function change(live: DataFrameJSON[], from: number, column: string, row: number, value: unknown): DataFrameJSON[] {
  return live.map((packet, i) => {
    const changed = structuredClone(packet);
    const told = columns(live, changed)[column];
    if (told && i >= from) {
      told[row] = value;
    }
    return changed;
  });
}

function streaming(live: DataFrameJSON[], first: number, more: DataFrame[] = []): Scene {
  const frame = StreamingDataFrame.empty({ maxLength: 5000 });
  let sent = 0;
  const push = (count: number) => {
    live.slice(sent, sent + count).forEach((packet) => frame.push(structuredClone(packet)));
    sent += count;
    return [frame, ...more];
  };
  push(first);
  return { frames: () => [frame, ...more], tell: push };
}

/** After so many packets the recorded race is in its first heat. */
const midway = 20;

const long = ['🐢 '.repeat(60), 'x'.repeat(200)];
const many = (count: number) => Array.from({ length: count }, (_, i) => `app-${i + 1}`);
const containers = ['cpu_cores', 'memory_bytes', 'cpu_limit', 'memory_limit'];

export const trackScenes: Record<string, () => Scene> = {
  live: () => streaming(live, midway),
  ended: () => ({ frames: () => [endedFrame(), historyFrame()] }),
  'ended alone': () => ({ frames: () => [endedFrame()] }),
  prometheus: () => ({ frames: () => [historyFrame()] }),
  names: () => streaming(crowd(live, ['control', ...long, '🦊🚀 caché']), midway),
  thirty: () => streaming(crowd(live, [...long, ...many(28)]), midway),
  twelve: () => streaming(crowd(live, many(12)), midway),
  'one app': () => streaming(crowd(live, ['alone']), midway),
  out: () => streaming(change(change(live, midway - 2, 'out', 1, 'memory, 12 s'), midway - 2, 'place', 1, 0), midway),
  'no container': () =>
    streaming(
      containers.reduce((all, name) => change(change(all, 0, name, 0, null), 0, name, 1, null), live),
      midway
    ),
  ghost: () => {
    const earlier = historyFrame();
    earlier.meta = { custom: { races: [{ id: 'earlier', heats: [] }] } };
    return streaming(live, midway, [earlier]);
  },
  nothing: () => ({ frames: () => [] }),
  'no race': () => {
    const empty = dataFrameFromJSON({ schema: live[0]?.schema, data: { values: live[0]?.schema?.fields.map(() => []) ?? [] } });
    empty.meta = { notices: [{ severity: 'warning', text: 'no race in this time range' }] };
    return { frames: () => [empty] };
  },
};
