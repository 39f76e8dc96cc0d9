import React from 'react';

import { CapacityPlot, capacityLayout } from './CapacityPlot';
import type { PictureProps } from './Distributions';
import { Figure } from './Figure';
import { type Capacity, nearestSpot, rateAxis, type Spot } from './model/capacity';
import { digits, duration } from './model/words';
import { Tip } from './Tip';
import { useCrosshair } from './useCrosshair';

export const capacityTitle = 'Capacity: p95 by rate';

/** The highest rate that each app holds, and the tries that it was found by. */
export function CapacityFigure({
  capacity,
  width,
  look,
  styles,
  focus,
  onFocusApp,
  picture,
}: Omit<PictureProps, 'finish'> & { capacity: Capacity }) {
  const layout = capacityLayout(width);
  const { x, handlers } = useCrosshair(layout.start, layout.end);
  const axis = rateAxis(capacity, layout.start, layout.end);
  const bound = capacity.bound === undefined ? '' : ` The dashed line is the highest p95 allowed, ${duration(capacity.bound)}.`;
  const open = capacity.lanes.some(({ rate, high }) => rate !== undefined && high === undefined);
  return (
    <Figure
      title={capacityTitle}
      note={`Full circles are rates that were held, hollow ones were not.${bound}${open ? ' An app with ≥ may hold more.' : ''}`}
      styles={styles}
      numbers={() => ({
        head: ['try', 'rate', 'p95', 'held'],
        rows: capacity.lanes.flatMap(({ app, tries }) =>
          tries.map(({ rate, p95, held, broke }, n) => [
            `${app} ${n + 1}`,
            `${digits(rate)}/s`,
            p95 === undefined ? '-' : duration(p95),
            held ? 'yes' : `no: ${broke.join('; ')}`,
          ])
        ),
      })}
    >
      {(describedBy) => (
        <>
          <ul className={styles.note} aria-label="Capacity" style={{ listStyle: 'none' }}>
            {capacity.lanes.map(({ app, sentence }) => sentence !== '' && <li key={app}>{sentence}</li>)}
          </ul>
          <CapacityPlot
            ref={picture}
            {...{ capacity, wide: width, look, focus, onFocusApp, x }}
            className={styles.svg}
            role="img"
            tabIndex={0}
            aria-label={`Rates against p95 of ${capacity.lanes.length} apps. Arrow keys read them off; the numbers stand below.`}
            aria-describedby={describedBy}
            {...handlers}
          />
          {x !== undefined && (
            <Tip
              tip={{
                title: `Near ${digits(axis.scale.value(x))}/s`,
                rows: capacity.lanes.map((lane) => ({ app: lane.app, text: spotText(nearestSpot(lane, axis.scale, x)) })),
              }}
              {...{ x, width, look, styles }}
            />
          )}
        </>
      )}
    </Figure>
  );
}

function spotText(spot: Spot | undefined): string {
  if (!spot) {
    return '-';
  }
  const { rate, p95, held, tries } = spot;
  return `${digits(rate)}/s: ${duration(p95)}, held ${tries === 1 ? (held === 1 ? '✓' : '✗') : `${held} of ${tries}`}`;
}
