import type { ScopedVars } from '@grafana/data';
import { describe, expect, it } from 'vitest';

import { grafanaLookup } from './lookup';

type Format = (value: unknown) => string;

// What Grafana 12.2 does, in short (@grafana/scenes, sceneInterpolator): the formatter gets the values, for All every option; a custom
// value for All is put in as it is; an unknown variable stays as it is written.
function grafana(variables: Record<string, { value: unknown; options?: string[]; allValue?: string }>) {
  return {
    getVariables: () => Object.entries(variables).map(([name, { value }]) => ({ name, current: { value } })),
    replace: (text: string, scoped: ScopedVars | undefined, format: Format) => {
      const name = text.slice(2, -1);
      const local = scoped?.[name];
      if (local) {
        return format(local.value);
      }
      const variable = variables[name];
      if (!variable) {
        return text;
      }
      const isAll = String(variable.value) === '$__all';
      return isAll && variable.allValue ? variable.allValue : format(isAll ? variable.options : variable.value);
    },
  };
}

describe('looking a variable up in Grafana', () => {
  it.each<[string, Parameters<typeof grafana>[0], ScopedVars | undefined, ReturnType<ReturnType<typeof grafanaLookup>>]>([
    ['one value', { app: { value: 'control' } }, undefined, ['control']],
    ['a number', { app: { value: 7 } }, undefined, ['7']],
    ['several values', { app: { value: ['a', 'b,c'] } }, undefined, ['a', 'b,c']],
    ['All', { app: { value: '$__all', options: ['a', 'b'] } }, undefined, 'all'],
    ['All of a multi-value variable', { app: { value: ['$__all'], options: ['a'] } }, undefined, 'all'],
    ['All with a value of its own', { app: { value: ['$__all'], allValue: '.*' } }, undefined, 'all'],
    ['every value chosen one by one is not All', { app: { value: ['a', 'b'], options: ['a', 'b'] } }, undefined, ['a', 'b']],
    ['the one value of a repeated panel', { app: { value: ['$__all'], options: ['a', 'b'] } }, { app: { text: 'b', value: 'b' } }, ['b']],
    [
      'the row that is repeated over All of no values',
      { app: { value: ['$__all'], options: [] } },
      { app: { text: 'All', value: '' } },
      'all',
    ],
    ['the row that is repeated over nothing chosen', { app: { value: [] } }, { app: { text: 'None', value: '' } }, ['']],
    ['nothing chosen', { app: { value: [] } }, undefined, []],
    ['an unknown variable', {}, undefined, undefined],
  ])('%s', (_name, variables, scoped, want) => {
    const templates = grafana(variables) as unknown as Parameters<typeof grafanaLookup>[0];
    expect(grafanaLookup(templates, scoped)('${app}')).toEqual(want);
  });
});
