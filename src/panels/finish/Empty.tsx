import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import React from 'react';

import { noRace } from './model/missing';

/** Says why there is no race to see, and what to do. */
export function Empty({ loading, errors, asked }: { loading: boolean; errors: string[]; asked: string[] }) {
  const styles = useStyles2(getStyles);
  if (loading) {
    return <div className={styles.empty}>Loading…</div>;
  }
  const { title, todo } = noRace(asked, errors);
  return (
    <div className={styles.empty}>
      <Icon name="stopwatch-slash" size="xl" />
      <strong>{title}</strong>
      <span>{todo}</span>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  empty: css({
    height: '100%',
    display: 'flex',
    flexDirection: 'column',
    alignItems: 'center',
    justifyContent: 'center',
    textAlign: 'center',
    gap: theme.spacing(1),
    padding: theme.spacing(2),
    color: theme.colors.text.secondary,
    overflow: 'auto',
  }),
});
