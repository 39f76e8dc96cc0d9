import { type RefObject, useEffect, useState } from 'react';

/** Less than this is no more than the padding at the end, in pixels. */
const little = 8;

/** Whether an element that scrolls has more to show below what is seen. */
export function useMoreBelow(ref: RefObject<HTMLElement | null>): boolean {
  const [more, setMore] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (!element) {
      return undefined;
    }
    const look = () => setMore(element.scrollHeight - element.clientHeight - element.scrollTop > little);
    const grown = new ResizeObserver(look);
    [element, ...element.children].forEach((one) => grown.observe(one));
    element.addEventListener('scroll', look, { passive: true });
    look();
    return () => {
      grown.disconnect();
      element.removeEventListener('scroll', look);
    };
  }); // after each render: what is in it may be another
  return more;
}
