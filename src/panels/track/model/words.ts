import { reader } from '../../../shared/columns';
import { type Ratio, timesText } from '../../../shared/ratio';
import { heatsOf, lengthOf } from '../../../shared/words';
import { heatsRun, isOver, type Race } from './race';
import type { Runner, Standing } from './state';
import type { DataFrame } from '@grafana/data';

/** A time of the race as a clock: "1:05", "-0:03" before its start. */
export function clock(seconds: number): string {
  const whole = Math.abs(Math.trunc(seconds));
  return `${seconds <= -1 ? '-' : ''}${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** A length of time that changes while it is read. */
export function wholeSeconds(seconds: number): string {
  return lengthOf(1000 * Math.max(1, Math.round(seconds)));
}

const statuses: Record<string, string> = {
  queued: 'Waiting in the queue',
  preparing: 'Starting the apps',
  'warming-up': 'Warming up',
  racing: 'Racing',
  collecting: 'Collecting the results',
  finished: 'Finished',
  failed: 'Failed',
  cancelled: 'Stopped',
  interrupted: 'Interrupted',
};

/** What the race does, in a line: "Racing, heat 3 of 12, about 1 min 20 s left". to is the last moment that is known of it, in seconds. */
export function statusLine(race: Race, heat: number, to = 0): string {
  const parts = [statuses[race.status] ?? race.status];
  const underWay = race.status === 'racing' || race.status === 'warming-up';
  if (heat > 0 && underWay) {
    parts.push(race.heats > 0 ? `heat ${heat} of ${race.heats}` : `heat ${heat}`);
  }
  if (race.detail && !underWay) {
    parts.push(race.detail);
  }
  if (isOver(race) && to > 0) {
    parts.push(race.heats > 0 ? heatsOf(heatsRun(race) ?? race.heats, race.heats) : '', lengthOf(1000 * (race.took ?? to)));
  }
  if (race.remaining !== undefined && underWay) {
    parts.push(`about ${wholeSeconds(race.remaining)} left`);
  }
  return parts.filter(Boolean).join(', ');
}

export type Tone = 'good' | 'bad' | 'neutral';

/** What is known of how a lane does against the baseline, with a sign for those who see no colours. */
export interface Outcome {
  text: string;
  sign: string;
  tone: Tone;
}

/** A verdict: without a ratio where nothing was measured. */
export interface Verdict extends Partial<Ratio> {
  outcome: string;
}

/** The verdict on each app's p95, of a query of type `verdict` with `field: all`. */
export function readVerdicts(frames: readonly DataFrame[], race: string): Map<string, Verdict> {
  const verdicts = new Map<string, Verdict>();
  for (const frame of frames) {
    const rows = reader(frame);
    if (!rows.has('outcome') || !rows.has('measure')) {
      continue;
    }
    for (let row = 0; row < frame.length; row++) {
      if (rows.text('measure', row) === 'latency_p95' && (race === '' || rows.text('race', row) === race)) {
        const number = (column: string) => rows.number(column, row);
        const outcome = rows.text('outcome', row);
        verdicts.set(rows.text('app', row), { outcome, ratio: number('ratio'), low: number('low'), high: number('high') });
      }
    }
  }
  return verdicts;
}

const p95 = (ratio: Ratio) => `p95 ${timesText(ratio)}`;

const outcomes: Record<string, Omit<Outcome, 'text'>> = {
  slower: { sign: '▲', tone: 'bad' },
  faster: { sign: '▼', tone: 'good' },
  same: { sign: '=', tone: 'neutral' },
  inconclusive: { sign: '?', tone: 'neutral' },
};

/** The outcome so far. While a race goes on nothing is decided: what is shown then is the ratio of what was measured last. */
export function outcomeOf(race: Race, runner: Runner, baseline: Runner | undefined, verdict: Verdict | undefined): Outcome {
  if (runner.out) {
    return { text: `out: ${runner.out}`, sign: '✕', tone: 'bad' };
  }
  if (runner.lane.baseline) {
    return { text: 'baseline', sign: '', tone: 'neutral' };
  }
  const over = isOver(race);
  if (over && verdict) {
    const { sign, tone } = outcomes[verdict.outcome] ?? { sign: '', tone: 'neutral' as const };
    return { text: [verdict.outcome, verdict.ratio && p95({ ...verdict, ratio: verdict.ratio })].filter(Boolean).join(', '), sign, tone };
  }
  const own = runner.moment?.p95;
  const other = baseline?.moment?.p95;
  const now = own && other ? p95({ ratio: own / other }) : '';
  return { text: [over || race.status === '' ? '' : 'undecided', now].filter(Boolean).join(', '), sign: '', tone: 'neutral' };
}

/** The places for a screen reader: "1 control, 2 high-cpu; out: memory-leak". */
export function placesSentence({ runners }: Standing): string {
  const placed = runners.filter(({ place }) => place > 0).sort((a, b) => a.place - b.place);
  const out = runners.filter((runner) => runner.out !== '').map(({ lane, out: why }) => `${lane.app} (${why})`);
  const order = placed.map(({ lane, place }) => `${place} ${lane.app}`).join(', ');
  return [order && `Places: ${order}`, out.length > 0 && `out: ${out.join(', ')}`].filter(Boolean).join('; ');
}

/** Requests as they are written at the finish line. */
export function distanceText({ finish, finishKnown, estimated }: Standing): string {
  const count = Math.round(finish).toLocaleString('en-US');
  return finishKnown ? `${estimated ? '≈ ' : ''}${count} requests` : '';
}

/** What a lane's progress bar says. */
export function progressText(runner: Runner, standing: Standing): string {
  const requests = Math.round(runner.requests).toLocaleString('en-US');
  return standing.finishKnown ? `${requests} requests, ${Math.round(runner.x * 100)}% of the way` : `${requests} requests`;
}
