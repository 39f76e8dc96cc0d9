/** The baseline's colour: a grey that stands out from black and from white. */
export const neutral = '#8e929c';

/** Grafana's classic palette, in its order; it starts anew after the last one. */
const classic = [
  '#7eb26d',
  '#eab839',
  '#6ed0e0',
  '#ef843c',
  '#e24d42',
  '#1f78c1',
  '#ba43a9',
  '#705da0',
  '#508642',
  '#cca300',
  '#447ebc',
  '#c15c17',
  '#890f02',
  '#6d1f62',
  '#584477',
  '#b7dbab',
];

/** How lines are broken (strokes and gaps in pixels), for those who see no colours; empty for a whole line. */
const dashes: readonly number[][] = [[], [8, 4], [2, 3], [12, 3, 2, 3], [4, 2]];

/** Which app wears which colour, by its place among the lanes; the baseline is neutral. Reports and terminal have the same (runner/scoreboard). */
export interface Livery {
  /** In the order of the lanes. */
  apps: readonly string[];
  baseline?: string;
}

/** The app's place among those that are not the baseline, -1 for the baseline and for strangers. */
function rank({ apps, baseline }: Livery, app: string): number {
  return app === baseline ? -1 : apps.filter((other) => other !== baseline).indexOf(app);
}

/** The app's colour; an app that is not in the race has none and is neutral too. */
export function colourOf(livery: Livery, app: string): string {
  const place = rank(livery, app);
  return (place < 0 ? undefined : classic[place % classic.length]) ?? neutral;
}

export function dashOf(livery: Livery, app: string): readonly number[] {
  return dashes[Math.max(0, rank(livery, app)) % dashes.length] ?? [];
}
