import { useTheme2 } from '@grafana/ui';
import { css } from '@emotion/css';
import React from 'react';

import { Finding, Findings, Lane } from './Findings';
import type { Look, Styles } from './look';
import type { Finish } from './model/finish';

const icons = { unfair: 'times-circle', warning: 'exclamation-triangle', note: 'info-circle' } as const;

/** What was found about the fairness of the race, the gravest first. */
export function Audit({ finish, look, styles }: { finish: Finish; look: Look; styles: Styles }) {
  const theme = useTheme2();
  const tones: Record<string, string> = { unfair: styles.bad, warning: css({ color: theme.colors.warning.text }) };
  return (
    <Findings name="Audit" caption={`Audit: ${finish.fairness}`} styles={styles}>
      {finish.findings.map(({ severity, kind, lane, detail }) => (
        <Finding
          key={JSON.stringify([kind, lane, detail])}
          icon={icons[severity as keyof typeof icons] ?? 'info-circle'}
          word={severity}
          tone={tones[severity] ?? styles.plain}
        >
          <span className={styles.plain}>{kind.replaceAll('-', ' ')}: </span>
          {lane && (
            <>
              <Lane app={lane} look={look} />:{' '}
            </>
          )}
          {detail}
        </Finding>
      ))}
    </Findings>
  );
}
