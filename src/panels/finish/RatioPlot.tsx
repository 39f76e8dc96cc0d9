import React, { forwardRef } from 'react';

import { bandPath, curvePath, percentileAxis, ratioAxis, type Ratios } from './model/ratios';
import { AxisBelow, AxisBeside, Canvas, Crosshair, OfApp, type PlotProps } from './Plot';

interface Props extends PlotProps {
  ratios: Ratios;
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
  return (
    <Canvas ref={ref} {...{ wide, tall: at.height, look }} {...rest}>
      <AxisBelow {...{ ...x, look }} apart={36} words={(value) => `p${value}`} room={at} />
      <AxisBeside {...{ ticks, at: y.at, look }} apart={16} words={(value) => `×${value}`} room={at} />
      <line x1={at.start} x2={at.end} y1={y.at(1)} y2={y.at(1)} stroke={look.text} strokeWidth={1.5} />
      {ratios.curves.map(({ app, points }) => {
        const colour = look.colour(app);
        return (
          <OfApp key={app} {...{ app, focus, onFocusApp }}>
            <path d={bandPath(points, x.at, y.at)} fill={colour} fillOpacity={0.2} />
            <path d={curvePath(points, x.at, y.at)} fill="none" stroke={colour} strokeWidth={2} strokeDasharray={look.dash(app)} />
            {points.length === 1 && points[0] && <circle cx={x.at(points[0].percentile)} cy={y.at(points[0].ratio)} r={4} fill={colour} />}
          </OfApp>
        );
      })}
      <Crosshair x={percentile === undefined ? undefined : x.at(percentile)} top={at.top} bottom={at.bottom} look={look} />
    </Canvas>
  );
});
