import { asList, asRecord, asText } from '../../../shared/json';

/** A threshold of the script for one lane, as k6 judged it at the end of each heat. The lane is '' for what k6 counts for all lanes together. */
export interface Threshold {
  lane: string;
  condition: string;
  /** In how many heats it was judged. */
  heats: number;
  /** The numbers of the heats in which it was not kept. */
  crossed: number[];
}

/** A threshold of the script with the lanes that did not keep it. */
export interface Condition {
  text: string;
  crossed: Threshold[];
  /** The lanes that it was judged for. */
  lanes: number;
}

export function readThresholds(value: unknown): Threshold[] {
  return asList(value)
    .map(asRecord)
    .map((one) => ({
      lane: asText(one.lane),
      condition: asText(one.condition),
      heats: Number(one.heats) || 0,
      crossed: asList(one.crossed).filter((heat): heat is number => typeof heat === 'number'),
    }));
}

/** The script's thresholds, those that were crossed first, else in their order. */
export function conditionsOf(thresholds: readonly Threshold[]): Condition[] {
  const texts = [...new Set(thresholds.map(({ condition }) => condition))];
  const all = texts.map((text): Condition => {
    const own = thresholds.filter(({ condition }) => condition === text);
    return { text, crossed: own.filter(({ crossed }) => crossed.length > 0), lanes: own.length };
  });
  return [...all.filter(({ crossed }) => crossed.length > 0), ...all.filter(({ crossed }) => crossed.length === 0)];
}

/** In which of its heats a threshold was crossed. */
export function heatsWords({ heats, crossed }: Threshold): string {
  if (heats === 1) {
    return `in heat ${crossed[0]}`;
  }
  return crossed.length === heats ? `in all ${heats} heats` : `in ${crossed.length} of ${heats} heats (${crossed.join(', ')})`;
}
