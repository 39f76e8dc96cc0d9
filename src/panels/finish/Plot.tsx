import React, { forwardRef } from 'react';

import type { Look } from './look';
import { labelled, type Tick } from './model/scale';

/** What every plot of the apps is given. */
export interface PlotProps extends React.SVGAttributes<SVGSVGElement> {
  wide: number;
  look: Look;
  focus?: string;
  onFocusApp: (app: string) => void;
}

/** A picture of so many pixels. */
export const Canvas = forwardRef<SVGSVGElement, React.SVGAttributes<SVGSVGElement> & { wide: number; tall: number; look: Look }>(
  function Canvas({ wide, tall, look, ...rest }, ref) {
    return (
      <svg
        ref={ref}
        xmlns="http://www.w3.org/2000/svg"
        width={wide}
        height={tall}
        viewBox={`0 0 ${wide} ${tall}`}
        fontFamily={look.font}
        {...rest}
      />
    );
  }
);

interface Axis {
  ticks: Tick[];
  /** Where a value is, in pixels. */
  at: (value: number) => number;
  /** How far apart in pixels words must be. */
  apart: number;
  words: (value: number) => string;
  /** Where the lines begin and end, in pixels. */
  room: { start: number; end: number; top: number; bottom: number };
  look: Look;
}

/** A horizontal axis: lines at its ticks, and words below as many of them as there is room for. */
export function AxisBelow({ ticks, at, apart, words, room, look, below = 16 }: Axis & { below?: number }) {
  const named = labelled(ticks, at, apart);
  return (
    <>
      {ticks.map(({ value }) => (
        <g key={value}>
          <line x1={at(value)} x2={at(value)} y1={room.top} y2={room.bottom} stroke={look.grid} />
          {named.has(value) && (
            <text x={at(value)} y={room.bottom + below} fontSize={11} fill={look.soft} textAnchor={anchor(at(value), room.end)}>
              {words(value)}
            </text>
          )}
        </g>
      ))}
    </>
  );
}

/** A vertical axis: lines at its ticks, and words beside as many of them as there is room for. */
export function AxisBeside({ ticks, at, apart, words, room, look }: Axis) {
  const named = labelled(ticks, at, apart);
  return (
    <>
      {ticks.map(({ value }) => (
        <g key={value}>
          <line x1={room.start} x2={room.end} y1={at(value)} y2={at(value)} stroke={look.grid} />
          {named.has(value) && (
            <text x={room.start - 6} y={at(value) + 4} fontSize={11} fill={look.soft} textAnchor="end">
              {words(value)}
            </text>
          )}
        </g>
      ))}
    </>
  );
}

/** What is drawn of an app: faint while another has the focus, which a click gives it. */
export function OfApp({
  app,
  focus,
  onFocusApp,
  faint = 0.15,
  children,
}: Pick<PlotProps, 'focus' | 'onFocusApp'> & { app: string; faint?: number; children: React.ReactNode }) {
  return (
    <g opacity={focus !== undefined && focus !== app ? faint : 1} onClick={() => onFocusApp(app)} style={{ cursor: 'pointer' }}>
      {children}
    </g>
  );
}

/** Where the pointer, or the keyboard, reads off; nothing while it does not. */
export function Crosshair({ x, top, bottom, look }: { x?: number; top: number; bottom: number; look: Look }) {
  return x === undefined ? null : <line x1={x} x2={x} y1={top} y2={bottom} stroke={look.soft} strokeDasharray="3 3" />;
}

/** Labels at the edge must not stick out. */
function anchor(x: number, end: number): 'middle' | 'end' {
  return x > end - 16 ? 'end' : 'middle';
}
