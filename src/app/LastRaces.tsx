import { css } from '@emotion/css';
import { dateTimeFormat, type GrafanaTheme2 } from '@grafana/data';
import { Text, TextLink, useStyles2 } from '@grafana/ui';
import React from 'react';

import { hasEnded, type RaceInfo } from '../shared/races';
import { type Dashboard, raceHref } from './contents';
import { useLastRaces } from './useSetup';

/** How many of the newest races are listed; the dashboard of all races has the others. */
const shown = 8;

/** The newest races, each with a link to where it is shown. */
export function LastRaces({ uid, dashboards }: { uid: string; dashboards: Dashboard[] }) {
  const styles = useStyles2(tableStyles);
  const { races, problem } = useLastRaces(uid);
  if (problem) {
    return <Text color="secondary">{`The races cannot be listed: ${problem}`}</Text>;
  }
  if (!races) {
    return null;
  }
  if (races.length === 0) {
    return (
      <Text color="secondary">
        None in the last 7 days. Start one from the control panel, or by hand: k6 run --out experimental-prometheus-rw --tag testid=NAME.
      </Text>
    );
  }
  return (
    <div className={styles.scroll}>
      <table className={styles.table}>
        <thead>
          <tr>
            {['Race', 'Started', 'Status', 'Apps'].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {races.slice(0, shown).map((race) => {
            const href = raceHref(dashboards, race);
            const name = race.name || race.id;
            return (
              <tr key={race.id}>
                <td title={race.id}>{href ? <TextLink href={href}>{name}</TextLink> : name}</td>
                <td className={styles.time}>{startWords(race)}</td>
                <td>{race.status}</td>
                <td>{race.apps.join(', ')}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** A race that could not be started has an end all the same. */
function startWords(race: RaceInfo): string {
  if (race.startedAt !== undefined) {
    return dateTimeFormat(race.startedAt);
  }
  return hasEnded(race) ? 'never' : 'not yet';
}

const tableStyles = (theme: GrafanaTheme2) => ({
  scroll: css({ overflowX: 'auto' }),
  table: css({
    '& th, & td': { padding: theme.spacing(0.75, 3, 0.75, 0), verticalAlign: 'top', textAlign: 'left' },
    '& th': { ...theme.typography.bodySmall, color: theme.colors.text.secondary },
    '& tbody tr': { borderTop: `1px solid ${theme.colors.border.weak}` },
  }),
  time: css({ whiteSpace: 'nowrap', fontVariantNumeric: 'tabular-nums' }),
});
