function joined(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** 1 h 5 min, 2 min 40 s, 1.5 s, 500 ms. */
export function lengthOf(ms: number): string {
  if (ms >= 3_600_000) {
    return joined(Math.floor(ms / 3_600_000), 'h', Math.floor((ms % 3_600_000) / 60_000), 'min');
  }
  if (ms >= 60_000) {
    return joined(Math.floor(ms / 60_000), 'min', Math.floor((ms % 60_000) / 1000), 's');
  }
  return ms >= 1000 ? `${Number((ms / 1000).toPrecision(3))} s` : `${Math.floor(ms)} ms`;
}

/** How many heats a race ran, and of how many where it was to be more: "12 heats", "1 of 2 heats". */
export function heatsOf(run: number, planned: number): string {
  return run === planned ? `${planned} heat${planned === 1 ? '' : 's'}` : `${run} of ${planned} heats`;
}
