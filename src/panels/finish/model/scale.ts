/** Maps values to pixels by way of a transformation, e.g. the logarithm. */
export interface Scale {
  from: number;
  to: number;
  at: (value: number) => number;
  /** The value at a pixel. */
  value: (pixel: number) => number;
}

/** A logarithmic scale; what lies outside is put on the edge. */
export function logScale(from: number, to: number, start: number, end: number): Scale {
  const [low, high] = [Math.log(from), Math.log(to)];
  const span = high - low || 1;
  const share = (value: number) => Math.min(1, Math.max(0, (Math.log(Math.max(value, Number.MIN_VALUE)) - low) / span));
  return {
    from,
    to,
    at: (value) => start + share(value) * (end - start),
    value: (pixel) => Math.exp(low + Math.min(1, Math.max(0, (pixel - start) / (end - start || 1))) * (high - low)),
  };
}

export interface Tick {
  value: number;
  /** Labelled only where there is room beside the others. */
  minor: boolean;
}

/** Round numbers within a scale: powers of ten, between them 2 and 5, and more where it spans less than that. */
export function logTicks({ from, to }: Pick<Scale, 'from' | 'to'>): Tick[] {
  const decades = Math.log10(to / from);
  const factors = decades > 4 ? [1] : decades > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7];
  const ticks: Tick[] = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    for (const factor of factors) {
      const value = factor * 10 ** power;
      if (value >= from * 0.999 && value <= to * 1.001) {
        ticks.push({ value: Number(value.toPrecision(12)), minor: factor !== 1 });
      }
    }
  }
  return ticks;
}

/** Which ticks can be labelled where a label takes so many pixels: the major ones first, then what fits between. */
export function labelled(ticks: readonly Tick[], at: (value: number) => number, room: number): Set<number> {
  const chosen: number[] = [];
  for (const { value } of [...ticks].sort((a, b) => Number(a.minor) - Number(b.minor))) {
    if (chosen.every((other) => Math.abs(at(other) - at(value)) >= room)) {
      chosen.push(value);
    }
  }
  return new Set(chosen);
}
