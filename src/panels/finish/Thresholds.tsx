import { cx } from '@emotion/css';
import { Icon } from '@grafana/ui';
import React, { Fragment } from 'react';

import type { Look, Styles } from './look';
import type { Finish } from './model/finish';
import { type Condition, conditionsOf, heatsWords } from './model/thresholds';
import { Swatch } from './Swatch';

/** The script's own thresholds: which were kept, and by whom and in which heats the others were not. */
export function Thresholds({ finish, look, styles }: { finish: Finish; look: Look; styles: Styles }) {
  const conditions = conditionsOf(finish.thresholds);
  const crossed = conditions.filter((one) => one.crossed.length > 0).length;
  return (
    <section aria-label="Thresholds">
      <div className={styles.caption}>
        Thresholds of the script: {crossed === 0 ? 'all kept' : `${crossed} of ${conditions.length} crossed`}
      </div>
      <ul className={styles.findings}>
        {conditions.map((condition) => (
          <Judged key={condition.text} condition={condition} look={look} styles={styles} />
        ))}
      </ul>
    </section>
  );
}

function Judged({ condition: { text, crossed, lanes }, look, styles }: { condition: Condition; look: Look; styles: Styles }) {
  const kept = crossed.length === 0;
  return (
    <li className={styles.finding}>
      <span className={cx(styles.severity, kept ? styles.good : styles.bad)}>
        <Icon name={kept ? 'check' : 'times'} size="sm" />
        {kept ? 'kept' : 'crossed'}
      </span>
      <span>
        {text}
        {crossed.map((one) => (
          <Fragment key={one.lane}>
            <span className={styles.plain}>, </span>
            {one.lane && (
              <>
                <Swatch app={one.lane} look={look} /> <strong>{one.lane}</strong>{' '}
              </>
            )}
            {heatsWords(one)}
          </Fragment>
        ))}
        {!kept && crossed.length < lanes && <span className={styles.plain}>; kept by the others</span>}
      </span>
    </li>
  );
}
