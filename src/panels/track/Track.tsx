import { cx } from '@emotion/css';
import { useStyles2 } from '@grafana/ui';
import React, { memo, useCallback, useMemo, useRef, useState } from 'react';

import { AfterPaint } from '../../shared/AfterPaint';
import { colourOf, dashOf } from '../../shared/livery';
import { Announcer } from './Announcer';
import { LaneRow } from './LaneRow';
import { kinds, scalesOf } from './model/gauges';
import { isOver, span } from './model/race';
import { ghostOf, type Track as Shown } from './model/select';
import { ghostX, heatTicks, standingAt } from './model/state';
import { distanceText, outcomeOf, placesSentence, progressText, type Verdict } from './model/words';
import type { Options } from './options';
import { StatusLine } from './StatusLine';
import { getStyles, type Styles } from './styles';
import { Transport } from './Transport';
import { useInSight } from './useInSight';
import { useRunning } from './useRunning';

interface Props {
  track: Shown;
  verdicts: Map<string, Verdict>;
  options: Options;
  width: number;
  height: number;
}

/** Below this width a lane takes a line of its own, in pixels: what is beside it would leave it too short to see who is ahead. */
const wide = 960;
/** From this width on there is room for the gauges beside the name above such a lane, in pixels. */
const middling = 620;
/** The height of a lane in which app and outcome have a line each, and that of all that is not lanes, in pixels. */
const comfortable = 38;
const besideLanes = 80;
/** Below this height there is no room for a replay's controls, in pixels. */
const roomForTransport = 120;

export function Track(props: Props) {
  const styles = useStyles2(getStyles, props.options.gauges.length);
  const root = useRef<HTMLDivElement>(null);
  const seen = useInSight(root);
  return (
    <div className={styles.track} ref={root} style={{ width: props.width, height: props.height }}>
      <Course {...props} styles={styles} seen={seen} />
    </div>
  );
}

interface CourseProps extends Props {
  styles: Styles;
  /** Out of sight nothing is drawn, whatever is told; in sight again the newest is. */
  seen: boolean;
}

const Course = memo(function Course({ track, verdicts, options, width, height, styles, seen }: CourseProps) {
  const { race } = track;
  const movers = useRef(new Map<string, HTMLElement>());
  const [chosenSpeed, setSpeed] = useState<number>();
  const speed = chosenSpeed ?? options.speed;
  const { from, to } = useMemo(() => span(race), [race]);
  const over = isOver(race) || !track.live;
  const { distance, ghost } = options;

  const draw = useCallback(
    (at: number) => {
      const { runners, finish } = standingAt(race, at, distance);
      for (const { lane, x } of runners) {
        move(movers.current.get(`runner ${lane.app}`), x);
        move(movers.current.get(`ghost ${lane.app}`), ghostX(ghostOf(ghost, track, lane), at, finish));
      }
    },
    [race, track, distance, ghost]
  );
  const take = useCallback((app: string, part: string, element: HTMLElement | null) => {
    if (element) {
      movers.current.set(`${part} ${app}`, element);
    } else {
      movers.current.delete(`${part} ${app}`);
    }
  }, []);
  const [head, go] = useRunning({ to, over, speed, draw, seen });

  const standing = standingAt(race, head.at, distance);
  const scales = scalesOf(race);
  const livery = { apps: race.lanes.map(({ app }) => app), baseline: race.lanes.find(({ baseline }) => baseline)?.app };
  const baseline = standing.runners.find(({ lane }) => lane.baseline);
  const heat = Math.max(0, ...standing.runners.map(({ moment }) => moment?.heat ?? 0));
  const stacked = width < wide;
  const beside = stacked && width >= middling;
  const dense = !stacked && race.lanes.length * comfortable > height - besideLanes;
  return (
    <>
      <StatusLine styles={styles} track={track} heat={heat} to={to} front={head.mode === 'live'} />
      <div className={styles.lanes} role="table" aria-label={`Lanes of ${race.name || race.id || 'the race'}`} tabIndex={0}>
        <div role="row" className={stacked ? styles.unseen : cx(styles.row, dense && styles.dense, styles.head)}>
          <span role="columnheader" aria-label="Place" />
          <span role="columnheader">App</span>
          <span role="columnheader" aria-label="Distance" className={styles.axis}>
            <span>0</span>
            <span>{distanceText(standing)}</span>
          </span>
          <span role="none" className={styles.gauges}>
            {options.gauges.map((gauge) => (
              <span key={gauge} role="columnheader" className={styles.gauge} title={kinds[gauge].about}>
                {kinds[gauge].title}
              </span>
            ))}
          </span>
        </div>
        {standing.runners.map((runner) => (
          <LaneRow
            key={runner.lane.app}
            {...{ styles, stacked, beside, dense, runner, scales, take }}
            outcome={outcomeOf(race, runner, baseline, verdicts.get(runner.lane.app))}
            paint={{ colour: colourOf(livery, runner.lane.app), dash: dashOf(livery, runner.lane.app) }}
            gauges={options.gauges}
            ticks={heatTicks(race, runner.lane, head.at, standing.finish)}
            progress={progressText(runner, standing)}
            finish={standing.finishKnown}
            ghost={ghostOf(ghost, track, runner.lane) !== undefined}
          />
        ))}
      </div>
      {track.replayable && to > from && height >= roomForTransport && (
        <div className={styles.transport} role="group" aria-label="Replay">
          <AfterPaint>
            <Transport {...{ head, from, to, over, speed, go, setSpeed }} />
          </AfterPaint>
        </div>
      )}
      <Announcer className={styles.unseen} text={placesSentence(standing)} />
    </>
  );
}, drawnAlready);

function drawnAlready(before: CourseProps, now: CourseProps): boolean {
  return !before.seen && !now.seen;
}

function move(element: HTMLElement | undefined, x: number | undefined): void {
  if (element) {
    element.style.visibility = x === undefined ? 'hidden' : '';
    element.style.transform = `translateX(${((x ?? 0) * 100).toFixed(3)}%)`;
  }
}
