import React, { forwardRef } from 'react';

import type { Look } from './look';
import type { Finish } from './model/finish';
import { type Ridge, type Ridges, ridgeAxis, ridgePath } from './model/ridges';
import { duration, shortDuration, shorten } from './model/words';
import { AxisBelow, Canvas, Crosshair, OfApp, type PlotProps } from './Plot';

interface Props extends PlotProps {
  finish: Finish;
  ridges: Ridges;
  x?: number;
}

/** Where things are, in pixels. In a narrow panel names stand above the curves. */
export function ridgeLayout(width: number, rows: number) {
  const beside = width >= 560;
  const label = beside ? Math.min(260, Math.round(width * 0.42)) : 0;
  const tall = rows > 12 ? 30 : 46;
  const row = tall + 6 + (beside ? 0 : 30);
  return { beside, label, tall, row, bottom: rows * row, height: rows * row + 20, start: label + 4, end: width - 8 };
}

const dashes: Record<number, string | undefined> = { 95: '6 3', 99: '1.5 3' };

/** Densities of latency below each other on one logarithmic axis. */
export const RidgePlot = forwardRef<SVGSVGElement, Props>(function RidgePlot(
  { finish, ridges, wide, look, focus, onFocusApp, x, ...rest },
  ref
) {
  const at = ridgeLayout(wide, ridges.rows.length);
  const { scale, ticks } = ridgeAxis(ridges, at.start, at.end);
  return (
    <Canvas ref={ref} {...{ wide, tall: at.height, look }} {...rest}>
      <AxisBelow {...{ ticks, at: scale.at, look }} apart={58} words={shortDuration} room={{ ...at, top: 0 }} below={15} />
      {ridges.rows.map((ridge, row) => {
        const bottom = (row + 1) * at.row;
        const colour = look.colour(ridge.app);
        return (
          <OfApp key={ridge.app} app={ridge.app} faint={0.25} {...{ focus, onFocusApp }}>
            <Label
              finish={finish}
              ridge={ridge}
              look={look}
              y={at.beside ? bottom - 22 : bottom - at.tall - 22}
              letters={Math.floor((at.beside ? at.label : wide) / 7.5)}
            />
            <line x1={at.start} x2={at.end} y1={bottom} y2={bottom} stroke={look.grid} />
            <path
              d={ridgePath(ridge, scale, bottom, at.tall)}
              fill={colour}
              fillOpacity={0.28}
              stroke={colour}
              strokeWidth={1.5}
              strokeDasharray={look.dash(ridge.app)}
            />
            {ridge.marks.map(({ percentile, ms }) => (
              <line
                key={percentile}
                x1={scale.at(ms)}
                x2={scale.at(ms)}
                y1={bottom - at.tall}
                y2={bottom}
                stroke={look.text}
                strokeWidth={1.5}
                strokeDasharray={dashes[percentile]}
              />
            ))}
          </OfApp>
        );
      })}
      <Crosshair {...{ x, look }} top={0} bottom={at.bottom} />
    </Canvas>
  );
});

interface LabelProps {
  finish: Finish;
  ridge: Ridge;
  look: Look;
  y: number;
  letters: number;
}

function Label({ finish, ridge: { app, marks }, look, y, letters }: LabelProps) {
  const place = finish.apps.find((one) => one.app === app)?.place;
  const name = `${place ? `${place}. ` : ''}${app}${app === finish.baseline ? ' (baseline)' : ''}`;
  return (
    <>
      <text x={0} y={y} fontSize={13} fontWeight={500} fill={look.text}>
        {shorten(name, letters)}
        <title>{name}</title>
      </text>
      <text x={0} y={y + 16} fontSize={11} fill={look.soft}>
        {marks.map(({ percentile, ms }) => `p${percentile} ${duration(ms)}`).join(' · ')}
      </text>
    </>
  );
}
