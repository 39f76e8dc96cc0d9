// Ratios as terminal and report.html write them (pkg/verdict): both are tested by the same table.

/** No number has more digits after the point: a race of minutes tells no more. */
const mostDecimals = 3;

export interface Ratio {
  ratio: number;
  low?: number;
  high?: number;
}

/**
 * A ratio with its interval, with as many digits as the interval allows ("× 24.1 [23.6, 24.7]"), and with more where a number would else read as 1,
 * the very number that the verdict turns on, or had less than two digits: "× 1.1 [0.39, 3.0]".
 */
export function ratioText({ ratio, low, high }: Ratio): string {
  if (low === undefined || high === undefined) {
    return timesText({ ratio });
  }
  const decimals = decimalsOf({ low, high });
  return `${timesText({ ratio, low, high })} [${inDigits(low, decimals)}, ${inDigits(high, decimals)}]`;
}

/** The ratio alone, in the digits that its interval allows; in two where nobody knows how sure it is. */
export function timesText({ ratio, low, high }: Ratio): string {
  return `× ${inDigits(ratio, low === undefined || high === undefined ? 0 : decimalsOf({ low, high }))}`;
}

function inDigits(ratio: number, decimals: number): string {
  const least = 10 ** -mostDecimals;
  if (ratio > 0 && ratio < least) {
    return `<${least}`;
  }
  const digits = ratio > 0 ? Math.min(mostDecimals, 1 - Math.floor(Math.log10(ratio))) : 0;
  return ratio.toFixed(apartFromOne(ratio, Math.max(decimals, digits)));
}

function decimalsOf({ low, high }: { low: number; high: number }): number {
  const half = (high - low) / 2;
  // The first digit that half the interval changes.
  const decimals = half > 0 ? Math.min(mostDecimals, Math.max(0, -Math.floor(Math.log10(half)))) : 2;
  return Math.max(apartFromOne(low, decimals), apartFromOne(high, decimals));
}

/** As many decimals, and more where a number that is not 1 would read as 1 in them. */
function apartFromOne(value: number, decimals: number): number {
  let enough = decimals;
  while (enough < mostDecimals && value !== 1 && Number(value.toFixed(enough)) === 1) {
    enough++;
  }
  return enough;
}
