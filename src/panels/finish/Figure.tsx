import React, { useId } from 'react';

import type { Styles } from './look';

interface Props {
  title: string;
  note: string;
  styles: Styles;
  /** The numbers of the picture, for those who do not see it and those who want them. */
  table: React.ReactNode;
  children: (describedBy: string) => React.ReactNode;
}

/** A picture with its title, its explanation and its numbers. */
export function Figure({ title, note, styles, table, children }: Props) {
  const id = useId();
  return (
    <figure className={styles.figure}>
      <figcaption className={styles.caption}>{title}</figcaption>
      {children(id)}
      <p id={id} className={styles.note}>
        {note}
      </p>
      <details className={styles.numbers}>
        <summary>Numbers</summary>
        <div className={styles.scroll}>{table}</div>
      </details>
    </figure>
  );
}

interface Table {
  head: string[];
  rows: string[][];
}

/** A table whose first column names the rows. */
export function Numbers({ head, rows }: Table) {
  return (
    <table>
      <thead>
        <tr>
          {head.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, ...cells]) => (
          <tr key={name}>
            <th scope="row" title={name}>
              {name}
            </th>
            {cells.map((cell, i) => (
              <td key={head[i + 1]}>{cell}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
