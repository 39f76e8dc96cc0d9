import { type KeyboardEvent, type PointerEvent, useState } from 'react';

/** How far an arrow key moves the crosshair, in pixels; with Shift ten times as far. */
const step = 4;

/** A crosshair in a picture, led by the pointer or by the arrow keys. */
export function useCrosshair(start: number, end: number) {
  const [x, setX] = useState<number>();
  const inside = (pixel: number) => Math.min(end, Math.max(start, pixel));
  return {
    x: x === undefined ? undefined : inside(x),
    handlers: {
      onPointerMove: (event: PointerEvent<SVGSVGElement>) => {
        const pixel = event.clientX - event.currentTarget.getBoundingClientRect().left;
        setX(pixel >= start ? pixel : undefined);
      },
      onPointerLeave: () => setX(undefined),
      onBlur: () => setX(undefined),
      onKeyDown: (event: KeyboardEvent) => {
        const far = step * (event.shiftKey ? 10 : 1);
        const moves: Record<string, number | undefined> = {
          ArrowLeft: (x ?? (start + end) / 2) - far,
          ArrowRight: (x ?? (start + end) / 2) + far,
          Home: start,
          End: end,
          Escape: undefined,
        };
        if (event.key in moves) {
          event.preventDefault();
          const to = moves[event.key];
          setX(to === undefined ? undefined : inside(to));
        }
      },
    },
  };
}
