import React, { forwardRef } from 'react';

import type { Look } from './look';
import { type Axis, type Capacity, type LaneCapacity, latencyAxis, rateAxis, spotsOf } from './model/capacity';
import { labelled } from './model/scale';
import { digits, shortDuration } from './model/words';
import { AxisBelow, AxisBeside, Canvas, Crosshair, OfApp, type PlotProps } from './Plot';

interface Props extends PlotProps {
  capacity: Capacity;
  x?: number;
}

export function capacityLayout(width: number) {
  return { start: 56, end: width - 8, top: 22, bottom: 232, height: 254 };
}

/** Rate against p95 of each app, both logarithmic, with the rate that it holds and its interval. */
export const CapacityPlot = forwardRef<SVGSVGElement, Props>(function CapacityPlot(
  { capacity, wide, look, focus, onFocusApp, x, ...rest },
  ref
) {
  const at = capacityLayout(wide);
  const rates = rateAxis(capacity, at.start, at.end);
  const latencies = latencyAxis(capacity, at.bottom, at.top);
  const held = capacity.lanes.flatMap(({ rate }) => (rate === undefined ? [] : [{ value: rate, minor: false }]));
  const numbered = labelled(held, rates.scale.at, 40); // apps that hold about the same share a number; the sentences have all
  return (
    <Canvas ref={ref} {...{ wide, tall: at.height, look }} {...rest}>
      <AxisBelow {...{ ticks: rates.ticks, at: rates.scale.at, look }} apart={44} words={(value) => `${digits(value)}/s`} room={at} />
      {latencies && <AxisBeside {...{ ticks: latencies.ticks, at: latencies.scale.at, look }} apart={16} words={shortDuration} room={at} />}
      {capacity.bound !== undefined && latencies && (
        <line
          x1={at.start}
          x2={at.end}
          y1={latencies.scale.at(capacity.bound)}
          y2={latencies.scale.at(capacity.bound)}
          stroke={look.text}
          strokeDasharray="6 3"
        />
      )}
      {capacity.lanes.map((lane) => (
        <OfApp key={lane.app} app={lane.app} {...{ focus, onFocusApp }}>
          <Held {...{ lane, rates, look, top: at.top, bottom: at.bottom, end: at.end }} numbered={numbered.has(lane.rate ?? 0)} />
          {latencies && <Tries {...{ lane, rates, latencies, look }} />}
        </OfApp>
      ))}
      <Crosshair {...{ x, look }} top={at.top} bottom={at.bottom} />
    </Canvas>
  );
});

/** The rate that an app holds: a line, its interval a band; one that is open goes on to the edge. */
function Held({
  lane: { app, rate, low, high },
  rates: { scale },
  look,
  top,
  bottom,
  end,
  numbered,
}: {
  lane: LaneCapacity;
  rates: Axis;
  look: Look;
  top: number;
  bottom: number;
  end: number;
  numbered: boolean;
}) {
  if (rate === undefined) {
    return null;
  }
  const [from, to] = [scale.at(low ?? rate), high === undefined ? end : scale.at(high)];
  const open = high === undefined;
  return (
    <>
      <rect
        x={from}
        y={top}
        width={Math.max(0, to - from)}
        height={bottom - top}
        fill={look.colour(app)}
        fillOpacity={open ? 0.08 : 0.25}
      />
      <line
        x1={scale.at(rate)}
        x2={scale.at(rate)}
        y1={top}
        y2={bottom}
        stroke={look.colour(app)}
        strokeWidth={2}
        strokeDasharray={look.dash(app)}
      />
      {numbered && (
        <text
          x={scale.at(rate)}
          y={top - 7}
          fontSize={12}
          fontWeight={500}
          fill={look.text}
          textAnchor={scale.at(rate) > end - 30 ? 'end' : 'middle'}
        >
          {`${open ? '≥ ' : ''}${digits(rate)}`}
        </text>
      )}
    </>
  );
}

/** The tries: full where the rate was held more often than not, hollow where it was not. */
function Tries({ lane, rates, latencies, look }: { lane: LaneCapacity; rates: Axis; latencies: Axis; look: Look }) {
  const spots = spotsOf(lane);
  const colour = look.colour(lane.app);
  const path = spots.map(
    ({ rate, p95 }, i) => `${i === 0 ? 'M' : 'L'}${rates.scale.at(rate).toFixed(1)} ${latencies.scale.at(p95).toFixed(1)}`
  );
  return (
    <>
      <path d={path.join('')} fill="none" stroke={colour} strokeWidth={1.5} strokeDasharray={look.dash(lane.app)} />
      {spots.map(({ rate, p95, held, tries }) => (
        <circle
          key={rate}
          cx={rates.scale.at(rate)}
          cy={latencies.scale.at(p95)}
          r={4}
          fill={2 * held > tries ? colour : look.panel}
          stroke={colour}
          strokeWidth={1.5}
        />
      ))}
    </>
  );
}
