import { cx } from '@emotion/css';
import { Icon } from '@grafana/ui';
import React from 'react';

import type { Look, Styles } from './look';
import type { Finding, Finish } from './model/finish';
import { Swatch } from './Swatch';

const icons = { unfair: 'times-circle', warning: 'exclamation-triangle', note: 'info-circle' } as const;

/** What was found about the fairness of the race, the gravest first. */
export function Audit({ finish, look, styles }: { finish: Finish; look: Look; styles: Styles }) {
  return (
    <section aria-label="Audit">
      <div className={styles.caption}>Audit: {finish.fairness}</div>
      <ul className={styles.findings}>
        {finish.findings.map((finding) => (
          <Found key={JSON.stringify(finding)} finding={finding} look={look} styles={styles} />
        ))}
      </ul>
    </section>
  );
}

function Found({ finding, look, styles }: { finding: Finding; look: Look; styles: Styles }) {
  const { severity, kind, lane, detail } = finding;
  const tone = severity === 'unfair' ? styles.bad : severity === 'warning' ? styles.warn : styles.plain;
  return (
    <li className={styles.finding}>
      <span className={cx(styles.severity, tone)}>
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
