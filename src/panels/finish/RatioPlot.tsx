import React, { forwardRef } from 'react';

import type { Look } from './look';
import { bandPath, curvePath, percentileAxis, ratioAxis, type Ratios } from './model/ratios';
import { labelled } from './model/scale';
import { anchor } from './RidgePlot';

interface Props extends React.SVGAttributes<SVGSVGElement> {
  ratios: Ratios;
  wide: number;
  look: Look;
  focus?: string;
  onFocusApp: (app: string) => void;
  percentile?: number;
}

export function ratioLayout(width: number) {
  return { start: 46, end: width - 8, top: 8, bottom: 232, height: 254 };
}

/** The apps' latencies over the baseline's, percentile by percentile, with their intervals as bands. */
export const RatioPlot = forwardRef<SVGSVGElement, Props>(function RatioPlot(
  { ratios, wide, look, focus, onFocusApp, percentile, ...rest },
  ref
) {
  const at = ratioLayout(wide);
  const x = percentileAxis(at.start, at.end);
  const { scale: y, ticks } = ratioAxis(ratios, at.bottom, at.top);
  const named = { x: labelled(x.ticks, x.at, 36), y: labelled(ticks, y.at, 16) };
  return (
    <svg
      ref={ref}
      xmlns="http://www.w3.org/2000/svg"
      width={wide}
      height={at.height}
      viewBox={`0 0 ${wide} ${at.height}`}
      fontFamily={look.font}
      {...rest}
    >
      {x.ticks.map(({ value }) => (
        <g key={value}>
          <line x1={x.at(value)} x2={x.at(value)} y1={at.top} y2={at.bottom} stroke={look.grid} />
          {named.x.has(value) && (
            <text x={x.at(value)} y={at.bottom + 16} fontSize={11} fill={look.soft} textAnchor={anchor(x.at(value), at.end)}>
              p{value}
            </text>
          )}
        </g>
      ))}
      {ticks.map(({ value }) => (
        <g key={value}>
          <line x1={at.start} x2={at.end} y1={y.at(value)} y2={y.at(value)} stroke={look.grid} />
          {named.y.has(value) && (
            <text x={at.start - 6} y={y.at(value) + 4} fontSize={11} fill={look.soft} textAnchor="end">
              ×{value}
            </text>
          )}
        </g>
      ))}
      <line x1={at.start} x2={at.end} y1={y.at(1)} y2={y.at(1)} stroke={look.text} strokeWidth={1.5} />
      {ratios.curves.map(({ app, points }) => {
        const colour = look.colour(app);
        return (
          <g
            key={app}
            opacity={focus !== undefined && focus !== app ? 0.15 : 1}
            onClick={() => onFocusApp(app)}
            style={{ cursor: 'pointer' }}
          >
            <path d={bandPath(points, x.at, y.at)} fill={colour} fillOpacity={0.2} />
            <path d={curvePath(points, x.at, y.at)} fill="none" stroke={colour} strokeWidth={2} strokeDasharray={look.dash(app)} />
            {points.length === 1 && points[0] && <circle cx={x.at(points[0].percentile)} cy={y.at(points[0].ratio)} r={4} fill={colour} />}
          </g>
        );
      })}
      {percentile !== undefined && (
        <line x1={x.at(percentile)} x2={x.at(percentile)} y1={at.top} y2={at.bottom} stroke={look.soft} strokeDasharray="3 3" />
      )}
    </svg>
  );
});
