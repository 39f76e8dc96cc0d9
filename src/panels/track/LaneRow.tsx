import { cx } from '@emotion/css';
import React, { memo } from 'react';

import { type Gauge, kinds, read, type Scales } from './model/gauges';
import type { Runner } from './model/state';
import type { Outcome } from './model/words';
import type { Styles } from './styles';

export interface Paint {
  colour: string;
  /** Strokes and gaps of the trail in pixels; empty for a whole one. */
  dash: readonly number[];
}

interface Props {
  styles: Styles;
  /** Whether the lane has a line of its own, below place and app and above the gauges. */
  stacked: boolean;
  /** Whether, above that lane, the gauges stand beside place and app. */
  beside: boolean;
  /** Whether there are so many lanes that each must be low. */
  dense: boolean;
  runner: Runner;
  outcome: Outcome;
  paint: Paint;
  gauges: readonly Gauge[];
  scales: Scales;
  ticks: readonly number[];
  progress: string;
  finish: boolean;
  ghost: boolean;
  /** Takes the elements that are moved from outside, at display rate. */
  take: (app: string, part: 'runner' | 'ghost', element: HTMLElement | null) => void;
}

/** The longest trail, as a share of the lane: the fastest rate of the race. */
const longestTrail = 0.12;

/** One lane: place, app and outcome, the lane itself, the gauges. A row of a table, for who hears it. */
export const LaneRow = memo(function LaneRow(props: Props) {
  const { styles, stacked, beside, dense, runner, outcome, paint, gauges, scales, ticks, progress, finish, ghost, take } = props;
  const { app } = runner.lane;
  return (
    <div
      role="row"
      className={cx(styles.row, stacked && styles.stacked, beside && styles.beside, dense && styles.dense)}
      data-app={app}
      data-out={runner.out !== ''}
    >
      <div role="cell" data-part="place" className={styles.place} data-none={runner.place === 0}>
        {runner.place || '–'}
      </div>
      <div role="rowheader" data-part="name" className={cx(styles.name, (stacked || dense) && styles.inline)}>
        <span className={styles.app} title={app}>
          {app}
        </span>
        <span className={styles.outcome} data-tone={outcome.tone} title={outcome.text}>
          {outcome.sign && <span aria-hidden>{outcome.sign} </span>}
          {outcome.text}
        </span>
      </div>
      <div role="cell" data-part="lane" className={styles.lane} aria-label={progress} title={progress}>
        <div className={styles.course} aria-hidden>
          <span className={styles.start} />
          {ticks.map((x, i) => (
            <span key={i} className={styles.tick} style={{ left: `${x * 100}%` }} />
          ))}
          {ghost && (
            <div data-part="ghost" className={styles.mover} ref={(element) => take(app, 'ghost', element)}>
              <span className={styles.ghost} />
            </div>
          )}
          <div data-part="runner" className={styles.mover} ref={(element) => take(app, 'runner', element)}>
            <span className={styles.trail} style={trail(paint, runner.pace)} />
            <span className={styles.runner} style={{ background: paint.colour }}>
              {runner.out && <span className={styles.cross}>✕</span>}
            </span>
          </div>
        </div>
        {finish && <span className={styles.finish} aria-hidden />}
      </div>
      <div role="none" data-part="gauges" className={styles.gauges}>
        {gauges.map((gauge) => {
          const { text, level, limit } = read(gauge, runner.lane, runner.moment, scales);
          return (
            <div key={gauge} role="cell" data-gauge={gauge} className={styles.gauge} title={kinds[gauge].about}>
              {stacked && <span className={styles.gaugeTitle}>{kinds[gauge].title}</span>}
              {text}
              <div className={styles.bar} aria-hidden>
                <span className={styles.level} style={{ color: paint.colour, transform: `scaleX(${level ?? 0})` }} />
                {limit !== undefined && <span className={styles.limit} style={{ left: `${limit * 100}%` }} />}
              </div>
            </div>
          );
        })}
      </div>
    </div>
  );
});

/** As long as the current rate, in the app's stroke, and fainter the longer ago. */
function trail({ colour, dash }: Paint, pace: number): React.CSSProperties {
  const stops: string[] = [];
  let at = 0;
  dash.forEach((length, i) => {
    stops.push(`${i % 2 === 0 ? '#000' : 'transparent'} ${at}px ${at + length}px`);
    at += length;
  });
  const mask = stops.length > 0 ? `repeating-linear-gradient(to left, ${stops.join(', ')})` : undefined;
  return {
    width: `${pace * longestTrail * 100}%`,
    background: `linear-gradient(to left, ${colour}, ${colour}40)`,
    maskImage: mask,
    WebkitMaskImage: mask,
  };
}
