import { css } from '@emotion/css';
import type { GrafanaTheme2, PanelData } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';

import { emptiness } from './model/emptiness';

/** Says why there is no race to see, and what to do. */
export function Empty({ data }: { data: PanelData }) {
  const styles = useStyles2(getStyles);
  const { title, steps } = emptiness(
    data.series,
    (data.errors ?? []).map(({ message, data: told }) => message ?? told?.message ?? 'a query failed')
  );
  return (
    <div className={styles.empty}>
      <strong>{title}</strong>
      {steps.map((step) => (
        <p key={step}>{step}</p>
      ))}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  empty: css({
    display: 'flex',
    flexDirection: 'column',
    justifyContent: 'center',
    height: '100%',
    overflow: 'auto',
    padding: theme.spacing(1, 2),
    textAlign: 'center',
    color: theme.colors.text.secondary,
    '& strong': { color: theme.colors.text.primary, fontWeight: theme.typography.fontWeightMedium, marginBottom: theme.spacing(0.5) },
    '& p': { margin: theme.spacing(0, 0, 0.5) },
  }),
});
