import { type DataFrame, dataFrameFromJSON, type DataFrameJSON, StreamingDataFrame } from '@grafana/data';

/** What the data source's binary sent for a real race; src/panels/track/testdata holds it. */
export interface Recorded {
  live: DataFrameJSON[];
  history: DataFrameJSON[];
  ended: DataFrameJSON[];
}

export interface Scene {
  frames: () => DataFrame[];
  /** The frames after so many more events. */
  tell?: (events: number) => DataFrame[];
}

const one = (frames: DataFrameJSON[]) => dataFrameFromJSON(structuredClone(frames[0] as DataFrameJSON));

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

export const scenes: Record<string, (recorded: Recorded) => Scene> = {
  live: ({ live }) => streaming(live, midway),
  ended: ({ ended, history }) => ({ frames: () => [one(ended), one(history)] }),
  'ended alone': ({ ended }) => ({ frames: () => [one(ended)] }),
  prometheus: ({ history }) => ({ frames: () => [one(history)] }),
  thirty: ({ live }) =>
    streaming(crowd(live, ['🐢 '.repeat(60), 'x'.repeat(200), ...Array.from({ length: 28 }, (_, i) => `app-${i + 3}`)]), midway),
  twelve: ({ live }) => streaming(crowd(live, Array.from({ length: 12 }, (_, i) => `app-${i + 1}`)), midway),
  'one app': ({ live }) => streaming(crowd(live, ['alone']), midway),
  out: ({ live }) => streaming(change(change(live, midway - 2, 'out', 1, 'memory, 12 s'), midway - 2, 'place', 1, 0), midway),
  'no container': ({ live }) =>
    streaming(
      ['cpu_cores', 'memory_bytes', 'cpu_limit', 'memory_limit'].reduce((all, name) => change(change(all, 0, name, 0, null), 0, name, 1, null), live),
      midway
    ),
  ghost: ({ live, history }) => {
    const earlier = one(history);
    earlier.meta = { custom: { races: [{ id: 'earlier', heats: [] }] } };
    return streaming(live, midway, [earlier]);
  },
  nothing: () => ({ frames: () => [] }),
  'no race': ({ live }) => {
    const empty = dataFrameFromJSON({ schema: live[0]?.schema, data: { values: live[0]?.schema?.fields.map(() => []) ?? [] } });
    empty.meta = { notices: [{ severity: 'warning', text: 'no race in this time range' }] };
    return { frames: () => [empty] };
  },
};
