import { cx } from '@emotion/css';
import React from 'react';

import type { Look, Styles } from './look';
import { Swatch } from './Swatch';

export interface TipText {
  title: string;
  rows: Array<{ app: string; text: string }>;
}

/** More rows than these are taller than the pictures. */
const shown = 12;

interface Props {
  tip: TipText;
  /** Where the crosshair is, in pixels, of how many. */
  x: number;
  width: number;
  look: Look;
  styles: Styles;
}

/** What stands at the crosshair, beside it on the side that has more room. */
export function Tip({ tip: { title, rows }, x, width, look, styles }: Props) {
  const side = x < width / 2 ? { left: x + 12 } : { right: width - x + 12 };
  return (
    <div className={styles.tip} style={{ top: 24, ...side }} role="status">
      <div className={styles.note}>{title}</div>
      {rows.slice(0, shown).map(({ app, text }) => (
        <div key={app} className={styles.tipRow}>
          <Swatch app={app} look={look} />
          <span className={cx(styles.tipName)} title={app}>
            {app}
          </span>
          <strong>{text}</strong>
        </div>
      ))}
      {rows.length > shown && <div className={styles.note}>and {rows.length - shown} more: see the numbers</div>}
    </div>
  );
}
