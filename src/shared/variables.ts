import { latest, type RaceQuery } from './query';

/** What a template variable stands for right now. */
export type Value = 'all' | readonly string[];

/** Looks a variable up by the way it is written, e.g. `$app`; undefined where there is none of that name. */
export type Lookup = (reference: string) => Value | undefined;

// A whole element that is one variable, in each of Grafana's three notations. The format of `${app:csv}` is left out of what is
// looked up: a list needs the values, not a text made of them.
const whole = /^(?:\$(\w+)|\[\[(\w+)(?::\w+)?\]\]|\$\{(\w+)(\.[^:}]+)?(?::[^}]+)?\})$/;

const anywhere = /\$(?:\w+|\{\w+[^}]*\})|\[\[\w+(?::\w+)?\]\]/g;

/**
 * Expands a list by the rules of CONTRACT.md: an element that is exactly one variable becomes its values, All makes the whole list
 * empty (which means all), duplicates go. What cannot be expanded stays as it is, and the back end's error names it. A variable
 * without a value stays too: dropping it would leave an empty list and so silently mean all.
 */
export function expandList(list: readonly string[], lookup: Lookup): string[] {
  const expanded: string[] = [];
  for (const element of list) {
    const value = typeof element === 'string' ? valueOf(element, lookup) : undefined;
    if (value === 'all') {
      return [];
    }
    const values = value?.filter((one) => one !== '') ?? [];
    expanded.push(...(values.length > 0 ? values : [element]));
  }
  return [...new Set(expanded)];
}

/**
 * Replaces the variables within a text that stand for exactly one value; the others stay, for the back end to name. A text that is one variable
 * is empty where that says All, as a list is.
 */
export function expandText(text: string, lookup: Lookup): string {
  if (valueOf(text, lookup) === 'all') {
    return '';
  }
  return text.replace(anywhere, (written) => {
    const value = valueOf(written, lookup);
    return value !== undefined && value !== 'all' && value.length === 1 ? (value[0] ?? written) : written;
  });
}

function valueOf(element: string, lookup: Lookup): Value | undefined {
  const text = element.trim();
  const match = whole.exec(text);
  if (!match || text === latest) {
    return undefined;
  }
  return lookup(`\${${match[1] ?? match[2] ?? match[3]}${match[4] ?? ''}}`);
}

/** Expands every part of a query that may hold variables. A part of the wrong form stays as it is, for the back end to name. */
export function expandQuery<Q extends RaceQuery>(query: Q, lookup: Lookup): Q {
  const expanded = { ...query };
  for (const part of ['races', 'apps', 'measures'] as const) {
    if (Array.isArray(query[part])) {
      expanded[part] = expandList(query[part], lookup);
    }
  }
  for (const part of ['name', 'baseline', 'field'] as const) {
    if (typeof query[part] === 'string') {
      expanded[part] = expandText(query[part], lookup);
    }
  }
  return expanded;
}
