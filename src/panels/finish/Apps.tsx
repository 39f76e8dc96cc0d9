import React from 'react';

import type { Look, Styles } from './look';
import type { Finish } from './model/finish';
import { Swatch } from './Swatch';

interface Props {
  finish: Finish;
  look: Look;
  styles: Styles;
  focus?: string;
  onFocusApp: (app: string) => void;
}

/** The legend of all pictures. A click brings one app to the front, another lets all stand again. */
export function Apps({ finish: { apps }, look, styles, focus, onFocusApp }: Props) {
  return (
    <div className={styles.apps} role="group" aria-label="Focus an app">
      {apps.map(({ app }) => (
        <button key={app} type="button" className={styles.chip} aria-pressed={focus === app} title={app} onClick={() => onFocusApp(app)}>
          <Swatch app={app} look={look} />
          <span className={styles.clipped}>{app}</span>
        </button>
      ))}
    </div>
  );
}
