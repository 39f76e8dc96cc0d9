import type { Finish } from './finish';

/** A dashboard that shows up to so many times the length of a race shows the race. */
const roomy = 4;

/** The time range in which a race fills its panels, or nothing where it does already. Times are milliseconds since 1970. */
export function zoomTo({ startedAt, finishedAt }: Finish, from: number, to: number): { from: number; to: number } | undefined {
  if (startedAt === undefined || finishedAt === undefined || finishedAt <= startedAt) {
    return undefined;
  }
  const length = finishedAt - startedAt;
  const margin = Math.max(1000, Math.round(length * 0.03));
  const shown = from <= startedAt && to >= finishedAt && to - from <= length * roomy;
  return shown ? undefined : { from: startedAt - margin, to: finishedAt + margin };
}
