import type { DataFrame } from '@grafana/data';

import { asNumber } from './json';

/** Reads a frame's rows by the names of its columns; what is of another form counts as missing. */
export function reader(frame: DataFrame) {
  const values = new Map(frame.fields.map((field) => [field.name, field.values]));
  const at = (column: string, row: number): unknown => values.get(column)?.[row];
  return {
    has: (column: string) => values.has(column),
    number: (column: string, row: number): number | undefined => asNumber(at(column, row)),
    text: (column: string, row: number): string => {
      const value = at(column, row);
      return typeof value === 'string' ? value : '';
    },
    flag: (column: string, row: number): boolean | undefined => {
      const value = at(column, row);
      return typeof value === 'boolean' ? value : undefined;
    },
  };
}
