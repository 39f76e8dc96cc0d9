import { css, cx } from '@emotion/css';
import type { GrafanaTheme2, IconName } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import React, { type ReactNode } from 'react';

import { Swatch } from './Swatch';
import type { Look, Styles } from './look';

/** A captioned list of findings. */
export function Findings({ name, caption, children, styles }: { name: string; caption: string; children: ReactNode; styles: Styles }) {
  const { list } = useStyles2(getStyles);
  return (
    <section aria-label={name}>
      <div className={styles.caption}>{caption}</div>
      <ul className={list}>{children}</ul>
    </section>
  );
}

/** One finding: how grave it is, in a word with its icon, and what was found. */
export function Finding({ icon, word, tone, children }: { icon: IconName; word: string; tone: string; children: ReactNode }) {
  const { row, grave } = useStyles2(getStyles);
  return (
    <li className={row}>
      <span className={cx(grave, tone)}>
        <Icon name={icon} size="sm" />
        {word}
      </span>
      <span>{children}</span>
    </li>
  );
}

/** The lane that a finding is about. */
export function Lane({ app, look }: { app: string; look: Look }) {
  return (
    <>
      <Swatch app={app} look={look} /> <strong>{app}</strong>
    </>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({ listStyle: 'none', margin: theme.spacing(0.5, 0), padding: 0, fontSize: theme.typography.bodySmall.fontSize }),
  row: css({ display: 'flex', gap: theme.spacing(1), padding: theme.spacing(0.25, 0), overflowWrap: 'anywhere' }),
  grave: css({ flex: 'none', display: 'inline-flex', gap: theme.spacing(0.5), width: 80, alignItems: 'center' }),
});
