import React, { Fragment } from 'react';

import { Finding, Findings, Lane } from './Findings';
import type { Look, Styles } from './look';
import type { Finish } from './model/finish';
import { type Condition, conditionsOf, heatsWords } from './model/thresholds';

/** The script's own thresholds: which were kept, and by whom and in which heats the others were not. */
export function Thresholds({ finish, look, styles }: { finish: Finish; look: Look; styles: Styles }) {
  const conditions = conditionsOf(finish.thresholds);
  const crossed = conditions.filter((one) => one.crossed.length > 0).length;
  const words = crossed === 0 ? 'all kept' : `${crossed} of ${conditions.length} crossed`;
  return (
    <Findings name="Thresholds" caption={`Thresholds of the script: ${words}`} styles={styles}>
      {conditions.map((condition) => (
        <Judged key={condition.text} condition={condition} look={look} styles={styles} />
      ))}
    </Findings>
  );
}

function Judged({ condition: { text, crossed, lanes }, look, styles }: { condition: Condition; look: Look; styles: Styles }) {
  const kept = crossed.length === 0;
  return (
    <Finding icon={kept ? 'check' : 'times'} word={kept ? 'kept' : 'crossed'} tone={kept ? styles.good : styles.bad}>
      {text}
      {crossed.map((one) => (
        <Fragment key={one.lane}>
          <span className={styles.plain}>, </span>
          {one.lane && (
            <>
              <Lane app={one.lane} look={look} />{' '}
            </>
          )}
          {heatsWords(one)}
        </Fragment>
      ))}
      {!kept && crossed.length < lanes && <span className={styles.plain}>; kept by the others</span>}
    </Finding>
  );
}
