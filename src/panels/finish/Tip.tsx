import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
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
  const own = useStyles2(getStyles);
  const side = x < width / 2 ? { left: x + 12 } : { right: width - x + 12 };
  return (
    <div className={own.tip} style={{ top: 24, ...side }} role="status">
      <div className={styles.note}>{title}</div>
      {rows.slice(0, shown).map(({ app, text }) => (
        <div key={app} className={own.row}>
          <Swatch app={app} look={look} />
          <span className={own.name} title={app}>
            {app}
          </span>
          <strong>{text}</strong>
        </div>
      ))}
      {rows.length > shown && <div className={styles.note}>and {rows.length - shown} more: see the numbers</div>}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  tip: css({
    position: 'absolute',
    pointerEvents: 'none',
    zIndex: theme.zIndex.tooltip,
    maxWidth: 'min(360px, 100%)',
    padding: theme.spacing(0.75, 1),
    background: theme.colors.background.elevated ?? theme.colors.background.secondary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    boxShadow: theme.shadows.z3,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  row: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(0.75), whiteSpace: 'nowrap' }),
  name: css({ flex: 1, overflow: 'hidden', textOverflow: 'ellipsis' }),
});
