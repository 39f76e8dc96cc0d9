import React from 'react';

import { Figure } from './Figure';
import type { Look, Styles } from './look';
import { at, type Finish } from './model/finish';
import { ridgeAxis, type Ridges } from './model/ridges';
import { duration, percentileName, shareOf } from './model/words';
import { ridgeLayout, RidgePlot } from './RidgePlot';
import { Tip } from './Tip';
import { useCrosshair } from './useCrosshair';

export interface PictureProps {
  finish: Finish;
  width: number;
  look: Look;
  styles: Styles;
  focus?: string;
  onFocusApp: (app: string) => void;
  picture: React.Ref<SVGSVGElement>;
}

export const distributionsTitle = 'Latency, all requests';

/** How the latency of each app is spread. */
export function Distributions({ finish, ridges, width, look, styles, focus, onFocusApp, picture }: PictureProps & { ridges: Ridges }) {
  const layout = ridgeLayout(width, ridges.rows.length);
  const { x, handlers } = useCrosshair(layout.start, layout.end);
  const { scale } = ridgeAxis(ridges, layout.start, layout.end);
  const ms = x === undefined ? undefined : scale.value(x);
  const shown = [1, 10, 25, 50, 75, 90, 95, 99, 99.9];
  return (
    <Figure
      title={distributionsTitle}
      note="Density per logarithm of latency, drawn through the measured percentiles, all heats together; every app is drawn equally high. Lines mark p50 (whole), p95 (dashed) and p99 (dotted)."
      styles={styles}
      numbers={() => ({
        head: ['app', ...shown.map(percentileName)],
        rows: finish.apps.map(({ app, curve }) => [app, ...shown.map((p) => textOf(at(curve, p)))]),
      })}
    >
      {(describedBy) => (
        <>
          <RidgePlot
            ref={picture}
            {...{ finish, ridges, wide: width, look, focus, onFocusApp, x }}
            className={styles.svg}
            role="img"
            tabIndex={0}
            aria-label={`Distributions of latency of ${ridges.rows.length} apps. Arrow keys read them off; the numbers stand below.`}
            aria-describedby={describedBy}
            {...handlers}
          />
          {ms !== undefined && x !== undefined && (
            <Tip
              tip={{
                title: `At most ${duration(ms)} took`,
                rows: ridges.rows.map(({ app, spread }) => ({ app, text: shareOf(spread.share(ms)) })),
              }}
              {...{ x, width, look, styles }}
            />
          )}
        </>
      )}
    </Figure>
  );
}

function textOf(ms: number | undefined): string {
  return ms === undefined ? '-' : duration(ms);
}
