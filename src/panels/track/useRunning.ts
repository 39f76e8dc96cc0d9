import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

import { advance, type Playhead } from './model/playhead';

/** How often what is written is written anew while runners move, in ms; eyes read no faster. */
const rewriting = 100;

interface Course {
  to: number;
  over: boolean;
  speed: number;
  /** Draws the runners where they are at a time; called at display rate. */
  draw: (at: number) => void;
  /** Whether anybody can see it. */
  seen: boolean;
}

/**
 * Moves the playhead with the clock and draws at display rate, as long as something moves and is in sight. What it returns changes ten times a
 * second at most.
 */
export function useRunning({ to, over, speed, draw, seen }: Course): [Playhead, (head: Playhead) => void] {
  const [shown, setShown] = useState<Playhead>({ mode: 'live', at: to });
  const head = useRef(shown);
  const before = useRef<number | undefined>(undefined);
  const still = useReducedMotion();
  const place = useCallback(
    ({ at, mode }: Playhead) => (still && !(over && at >= to) && mode !== 'paused' ? Math.floor(at) : at),
    [still, over, to]
  );

  useLayoutEffect(() => draw(place(head.current)));

  useEffect(() => {
    if (!seen) {
      return undefined;
    }
    let frame = 0;
    let written = 0;
    const step = (now: number) => {
      const seconds = before.current === undefined ? 0 : (now - before.current) / 1000;
      before.current = now;
      const next = advance(head.current, seconds, to, over, speed);
      const turned = next.mode !== head.current.mode;
      const moved = place(next) !== place(head.current);
      head.current = next;
      if (moved) {
        draw(place(next));
      }
      const rests = next.mode === 'paused' || (next.mode === 'live' && next.at >= to);
      if (turned || rests || (moved && now - written >= rewriting)) {
        written = now;
        setShown(next);
      }
      if (rests) {
        before.current = undefined;
      } else {
        frame = requestAnimationFrame(step);
      }
    };
    frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
  }, [to, over, speed, draw, place, seen, shown.mode]);

  const go = useCallback((next: Playhead) => {
    head.current = next;
    setShown(next);
  }, []);
  return [{ ...shown, at: place(shown) }, go];
}

function useReducedMotion(): boolean {
  const [still, setStill] = useState(false);
  useEffect(() => {
    const query = window.matchMedia('(prefers-reduced-motion: reduce)');
    const heed = () => setStill(query.matches);
    heed();
    query.addEventListener('change', heed);
    return () => query.removeEventListener('change', heed);
  }, []);
  return still;
}
