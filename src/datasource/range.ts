import { dateTime, type TimeRange } from '@grafana/data';

/** The time range where the editor is told of none: the last day. */
export function lastDay(): TimeRange {
  const to = dateTime();
  const from = dateTime(to).subtract(1, 'day');
  return { from, to, raw: { from: 'now-24h', to: 'now' } };
}
