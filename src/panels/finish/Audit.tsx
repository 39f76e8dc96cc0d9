import { css, cx } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import React from 'react';

import type { Look, Styles } from './look';
import type { Finding, Finish } from './model/finish';
import { Swatch } from './Swatch';

const icons = { unfair: 'times-circle', warning: 'exclamation-triangle', note: 'info-circle' } as const;

/** What was found about the fairness of the race, the gravest first. */
export function Audit({ finish, look, styles }: { finish: Finish; look: Look; styles: Styles }) {
  const own = useStyles2(getStyles);
  return (
    <section aria-label="Audit">
      <div className={styles.caption}>Audit: {finish.fairness}</div>
      <ul className={own.findings}>
        {finish.findings.map((finding) => (
          <Found key={JSON.stringify(finding)} finding={finding} look={look} styles={styles} />
        ))}
      </ul>
    </section>
  );
}

function Found({ finding, look, styles }: { finding: Finding; look: Look; styles: Styles }) {
  const own = useStyles2(getStyles);
  const { severity, kind, lane, detail } = finding;
  const tone = severity === 'unfair' ? styles.bad : severity === 'warning' ? own.warn : styles.plain;
  return (
    <li className={own.finding}>
      <span className={cx(own.severity, tone)}>
        <Icon name={icons[severity as keyof typeof icons] ?? 'info-circle'} size="sm" />
        {severity}
      </span>
      <span>
        <span className={styles.plain}>{kind.replaceAll('-', ' ')}: </span>
        {lane && (
          <>
            <Swatch app={lane} look={look} /> <strong>{lane}</strong>:{' '}
          </>
        )}
        {detail}
      </span>
    </li>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  findings: css({ listStyle: 'none', margin: theme.spacing(0.5, 0), padding: 0, fontSize: theme.typography.bodySmall.fontSize }),
  finding: css({ display: 'flex', gap: theme.spacing(1), padding: theme.spacing(0.25, 0), overflowWrap: 'anywhere' }),
  severity: css({ flex: 'none', display: 'inline-flex', gap: theme.spacing(0.5), width: 80, alignItems: 'center' }),
  warn: css({ color: theme.colors.warning.text }),
});
