import React from 'react';

import { ratioText } from '../../shared/ratio';
import type { PictureProps } from './Distributions';
import { Figure } from './Figure';
import { nearest, percentileAxis, type Ratios } from './model/ratios';
import { percentileName, shorten } from './model/words';
import { ratioLayout, RatioPlot } from './RatioPlot';
import { Tip } from './Tip';
import { useCrosshair } from './useCrosshair';

export const ratiosTitle = ({ baseline }: { baseline: string }) => `Latency over ${shorten(baseline, 60)}’s, by percentile`;

/** What the latency of each app is of the baseline's, percentile by percentile. */
export function RatioFigure({ finish, ratios, width, look, styles, focus, onFocusApp, picture }: PictureProps & { ratios: Ratios }) {
  const layout = ratioLayout(width);
  const { x, handlers } = useCrosshair(layout.start, layout.end);
  const axis = percentileAxis(layout.start, layout.end);
  const percentile = x === undefined ? undefined : nearest(ratios.curves, axis.at, x);
  const shown = [1, 10, 50, 90, 95, 99, 99.9];
  const textAt = (app: string, p: number) => {
    const point = ratios.curves.find((curve) => curve.app === app)?.points.find((one) => one.percentile === p);
    return point ? ratioText(point) : '-';
  };
  const banded = ratios.curves.some(({ points }) => points.some(({ low }) => low !== undefined));
  return (
    <Figure
      title={ratiosTitle(finish)}
      note={`1 is equal, above is slower. ${banded ? 'Bands are 95% intervals of single percentiles, from heat to heat; the verdicts are corrected for looking at several.' : 'One heat gives no intervals.'}`}
      styles={styles}
      numbers={() => ({
        head: ['app', ...shown.map(percentileName)],
        rows: ratios.curves.map(({ app }) => [app, ...shown.map((p) => textAt(app, p))]),
      })}
    >
      {(describedBy) => (
        <>
          <RatioPlot
            ref={picture}
            {...{ ratios, wide: width, look, focus, onFocusApp, percentile }}
            className={styles.svg}
            role="img"
            tabIndex={0}
            aria-label={`Ratios to ${finish.baseline} by percentile. Arrow keys read them off; the numbers stand below.`}
            aria-describedby={describedBy}
            {...handlers}
          />
          {percentile !== undefined && (
            <Tip
              tip={{
                title: `${percentileName(percentile)} over ${shorten(finish.baseline, 30)}’s`,
                rows: ratios.curves.map(({ app }) => ({ app, text: textAt(app, percentile) })),
              }}
              {...{ x: axis.at(percentile), width, look, styles }}
            />
          )}
        </>
      )}
    </Figure>
  );
}
