import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { useId } from 'react';

import { AfterPaint } from '../../shared/AfterPaint';
import type { Styles } from './look';

interface Props {
  title: string;
  note: string;
  styles: Styles;
  /** The numbers of the picture, for those who do not see it and those who want them. */
  numbers: () => Table;
  children: (describedBy: string) => React.ReactNode;
}

/** A picture with its title, its explanation and its numbers. */
export function Figure({ title, note, styles, numbers, children }: Props) {
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
        <AfterPaint>
          <Numbers of={numbers} />
        </AfterPaint>
      </details>
    </figure>
  );
}

interface Table {
  head: string[];
  rows: string[][];
}

/** A table whose first column names the rows. */
function Numbers({ of }: { of: () => Table }) {
  const styles = useStyles2(getStyles);
  const { head, rows } = of();
  return (
    <div className={styles.scroll}>
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
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  scroll: css({
    overflowX: 'auto',
    table: { borderCollapse: 'collapse', marginTop: theme.spacing(0.5) },
    'th, td': {
      textAlign: 'right',
      padding: theme.spacing(0.25, 1),
      borderTop: `1px solid ${theme.colors.border.weak}`,
      whiteSpace: 'nowrap',
    },
    'tbody th': { textAlign: 'left', fontWeight: 'normal', maxWidth: 200, overflow: 'hidden', textOverflow: 'ellipsis' },
  }),
});
