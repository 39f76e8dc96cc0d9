import { cx } from '@emotion/css';
import { Alert, Button } from '@grafana/ui';
import React, { useState } from 'react';

import type { Look, Styles } from './look';
import type { Entrant, Finish } from './model/finish';
import { gapsOf, isUnfair, unfairTitle } from './model/missing';
import { markOf } from './model/words';
import { Swatch } from './Swatch';

/** More sentences than these push the pictures out of sight. */
const shownAtFirst = 6;

interface Props {
  finish: Finish;
  look: Look;
  styles: Styles;
  tools: React.ReactNode;
}

/** The result in words: whether it may be believed, then who is slower, by how much and at what cost. */
export function Sentences({ finish, look, styles, tools }: Props) {
  const [all, setAll] = useState(false);
  const told = finish.apps.filter(({ sentence }) => sentence !== '');
  const shown = all ? told : told.slice(0, shownAtFirst);
  return (
    <>
      {isUnfair(finish) && (
        <Alert severity="warning" title={unfairTitle(finish)}>
          {finish.findings
            .filter(({ severity }) => severity === 'unfair')
            .map(({ lane, detail }) => (
              <div key={`${lane} ${detail}`}>{lane ? `${lane}: ${detail}` : detail}</div>
            ))}
        </Alert>
      )}
      <div className={styles.top}>
        <div className={styles.sentences}>
          <ul className={styles.sentences} aria-label="Result">
            {shown.map((one) => (
              <Sentence key={one.app} one={one} look={look} styles={styles} />
            ))}
          </ul>
          {shown.length < told.length && (
            <Button variant="secondary" fill="text" size="sm" onClick={() => setAll(true)}>
              Show all {told.length} apps
            </Button>
          )}
          {gapsOf(finish).map((gap) => (
            <p key={gap} className={styles.note}>
              {gap}
            </p>
          ))}
          {finish.certainty && told.length > 0 && <p className={styles.note}>{finish.certainty}</p>}
        </div>
        {tools}
      </div>
    </>
  );
}

function Sentence({ one, look, styles }: { one: Entrant; look: Look; styles: Styles }) {
  const { app, outcome, sentence, out } = one;
  const tone = outcome === 'faster' ? styles.good : outcome === 'slower' ? styles.bad : styles.plain;
  return (
    <li className={styles.sentence}>
      <Swatch app={app} look={look} className={styles.swatch} />
      <span>
        <span className={cx(styles.mark, tone)} aria-hidden>
          {markOf(outcome)}
        </span>
        {sentence.replaceAll('× ', '×\u00a0')}.{out && ` It left the race: ${out}.`}
      </span>
    </li>
  );
}
