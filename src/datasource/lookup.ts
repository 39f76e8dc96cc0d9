import type { ScopedVars } from '@grafana/data';
import type { TemplateSrv } from '@grafana/runtime';

import type { Lookup } from '../shared/variables';

const all = '$__all';

/**
 * Looks variables up in Grafana. `replace` alone cannot tell: it glues several values together as {a,b} and lists every value for All.
 * So its formatter is used to get hold of the values, and the variable itself says whether All is chosen.
 *
 * A panel that is repeated has one value of its own, a plain string, while the dashboard's variable still says All; a list of values
 * (or, with a custom value for All, no call of the formatter) is what All really looks like. Where All has no values, as before the first race,
 * Grafana repeats once, with an empty text as the value.
 */
export function grafanaLookup(templates: TemplateSrv, scopedVars?: ScopedVars): Lookup {
  return (reference) => {
    let found: string | string[] | undefined;
    const text = templates.replace(reference, scopedVars, (value: unknown) => {
      found = Array.isArray(value) ? value.map(String) : String(value);
      return '';
    });
    if (typeof found === 'string') {
      return found === all || (found === '' && isAll(templates, reference)) ? 'all' : [found];
    }
    const known = found !== undefined || text !== reference;
    if (known && isAll(templates, reference)) {
      return 'all';
    }
    return found ?? (known ? [text] : undefined);
  };
}

function isAll(templates: TemplateSrv, reference: string): boolean {
  const name = /\w+/.exec(reference)?.[0];
  const variable = templates.getVariables().find((one) => one.name === name);
  const current: unknown = variable && 'current' in variable ? variable.current : undefined;
  const value: unknown = typeof current === 'object' && current !== null && 'value' in current ? current.value : undefined;
  return value === all || (Array.isArray(value) && value.includes(all));
}
