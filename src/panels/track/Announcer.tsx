import React, { useEffect, useRef, useState } from 'react';

/** The least time between two announcements, in ms: a screen reader that is interrupted four times a second says nothing. */
const between = 6000;

/** Tells changes to a screen reader, when it has time, and not more often than can be listened to. */
export function Announcer({ text, className }: { text: string; className: string }) {
  const [told, setTold] = useState('');
  const last = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    const wait = Math.max(0, last.current + between - performance.now());
    const timer = setTimeout(() => {
      last.current = performance.now();
      setTold(text);
    }, wait);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div className={className} aria-live="polite">
      {told}
    </div>
  );
}
