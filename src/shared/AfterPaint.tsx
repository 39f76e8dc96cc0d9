import React, { useEffect, useState } from 'react';

/** Renders its children once the browser has painted what is around them: what nobody looks at first must not hold that up. */
export function AfterPaint({ children }: { children: React.ReactNode }) {
  const [painted, setPainted] = useState(false);
  useEffect(() => {
    let task: ReturnType<typeof setTimeout> | undefined;
    // What a frame calls runs before it is painted, the next task after that.
    const frame = requestAnimationFrame(() => (task = setTimeout(() => setPainted(true))));
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(task);
    };
  }, []);
  return <>{painted && children}</>;
}
