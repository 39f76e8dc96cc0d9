import { type DataFrame, dataFrameFromJSON, type DataFrameJSON, FieldType, StreamingDataFrame, toDataFrame } from '@grafana/data';

import ended from './ended.json';
import history from './history.json';
import live from './live.json';

// What the data source's binary sent for a real race of two lanes and two heats: tests/datasource/stream_test.go records it.
export const packets = live as unknown as DataFrameJSON[];
export const historyFrame = (): DataFrame => dataFrameFromJSON(structuredClone(history as unknown as DataFrameJSON[])[0] as DataFrameJSON);
export const endedFrame = (): DataFrame => dataFrameFromJSON(structuredClone(ended as unknown as DataFrameJSON[])[0] as DataFrameJSON);

/** The stream after some of its packets, as Grafana hands it to a panel that keeps so many rows. */
export function streamed(count = packets.length, maxLength = 1000): StreamingDataFrame {
  const frame = StreamingDataFrame.empty({ maxLength });
  packets.slice(0, count).forEach((packet) => frame.push(structuredClone(packet)));
  return frame;
}

interface Row {
  time: number;
  app: string;
  requests?: number;
  place?: number;
  [column: string]: unknown;
}

/** A live frame of invented rows, in seconds; columns that a row does not name are missing in it. */
export function liveFrame(rows: Row[], race = 'r1'): DataFrame {
  const names = [...new Set(['time', 'app', 'phase', 'requests', 'place', ...rows.flatMap((row) => Object.keys(row))])];
  const frame = toDataFrame({
    fields: names.map((name) => ({
      name,
      type: name === 'time' ? FieldType.time : FieldType.other,
      values: rows.map((row) => (name === 'time' ? row.time * 1000 : name === 'phase' ? (row[name] ?? 'race') : row[name])),
    })),
  });
  frame.meta = { custom: { race, name: race } };
  return frame;
}
