import React from 'react';

import type { Look } from './look';

/** An app's colour and the way its line is broken. */
export function Swatch({ app, look, className }: { app: string; look: Look; className?: string }) {
  return (
    <svg className={className} width={22} height={4} aria-hidden style={{ flex: 'none' }}>
      <line x1={0} x2={22} y1={2} y2={2} stroke={look.colour(app)} strokeWidth={4} strokeDasharray={look.dash(app)} />
    </svg>
  );
}
