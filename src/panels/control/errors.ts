import { type Problem, sentenceOf } from '../../shared/problem';

/** The fields of the form that show errors of their own; the others stand above the button. */
const fields = [
  'script',
  'name',
  'load.vus',
  'load.rate',
  'load.duration',
  'heats',
  'warmup',
  'mode',
  'arrivals',
  'baseline',
  'find_capacity',
  'lanes',
] as const;
export type Field = (typeof fields)[number];

/** Those that are folded away at first. */
export const folded: readonly Field[] = ['name', 'mode', 'arrivals', 'baseline', 'find_capacity'];

/** Where a problem is shown: at the field that caused it, else undefined. */
export function placeOf({ field = '' }: Problem): Field | undefined {
  return fields.find((one) => field === one || field.startsWith(`${one}.`));
}

export type Errors = Partial<Record<Field, string>>;

/** The sentences at the fields, and what belongs to none of them. */
export function errorsOf(problem: Problem | undefined): { at: Errors; general?: string } {
  if (!problem) {
    return { at: {} };
  }
  const place = placeOf(problem);
  return place ? { at: { [place]: sentenceOf(problem) } } : { at: {}, general: sentenceOf(problem) };
}
