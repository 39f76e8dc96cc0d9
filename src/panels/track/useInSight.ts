import { type RefObject, useEffect, useState } from 'react';

/** Whether any of an element can be seen: Grafana keeps panels that were scrolled away, and goes on in a tab behind others. */
export function useInSight(root: RefObject<HTMLElement | null>): boolean {
  const [onScreen, setOnScreen] = useState(true);
  const [hidden, setHidden] = useState(document.hidden);
  useEffect(() => {
    const heed = () => setHidden(document.hidden);
    document.addEventListener('visibilitychange', heed);
    return () => document.removeEventListener('visibilitychange', heed);
  }, []);
  useEffect(() => {
    if (!root.current) {
      return undefined;
    }
    const observer = new IntersectionObserver((entries) => setOnScreen(entries[entries.length - 1]?.isIntersecting ?? true));
    observer.observe(root.current);
    return () => observer.disconnect();
  }, [root]);
  return onScreen && !hidden;
}
