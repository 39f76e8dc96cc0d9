import { useCallback, useEffect, useRef, useState } from 'react';

import type { Calls } from '../../shared/calls';
import { look, nothing, pauseAfter, type Picture } from './look';

/** Looks at the runner again and again, at once after `again`. Another data source begins with an empty picture. */
export function useRunner(calls: Calls | undefined, followed: string | undefined): { picture: Picture; again: () => void } {
  const [seen, setSeen] = useState<{ calls?: Calls; picture: Picture }>({ picture: nothing });
  const last = useRef(seen);
  const wake = useRef<() => void>(() => undefined);
  useEffect(() => {
    if (!calls) {
      return;
    }
    let stopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let looking = false;
    let asked = false;
    let fresh = false; // something happened: the role may have changed too
    const run = async () => {
      clearTimeout(timer);
      if (looking) {
        asked = true; // the look under way may have begun before what is to be seen
        return;
      }
      looking = true;
      asked = false;
      const seen = last.current.calls === calls ? last.current.picture : nothing;
      const before = fresh ? { ...seen, canAt: 0 } : seen;
      fresh = false;
      const picture = await look(calls, followed, before, Date.now());
      looking = false;
      if (stopped) {
        return;
      }
      last.current = { calls, picture };
      setSeen(last.current);
      timer = setTimeout(() => void run(), asked ? 0 : pauseAfter(picture, document.hidden));
    };
    const shown = () => void (document.hidden || run());
    wake.current = () => {
      fresh = true;
      void run();
    };
    document.addEventListener('visibilitychange', shown);
    void run();
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', shown);
    };
  }, [calls, followed]);
  const again = useCallback(() => wake.current(), []);
  return { picture: seen.calls === calls ? seen.picture : nothing, again };
}
