import { describe, expect, it } from 'vitest';

import { sourceOf } from './source';

const all = [
  { uid: 'a', name: 'First', isDefault: false },
  { uid: 'b', name: 'Second', isDefault: false },
];
const fill = (variables: Record<string, string>) => (text: string) =>
  text.replace(/\$\{(\w+)\}/g, (written, name) => variables[name] ?? written);

describe('the data source of a panel', () => {
  it('is the one that its option names', () => {
    expect(sourceOf('b', all, fill({ datasource: 'a' }))?.uid).toBe('b');
    expect(sourceOf('${ds}', all, fill({ ds: 'b' }))?.uid).toBe('b');
    expect(sourceOf('deleted', all, fill({}))).toBeUndefined();
  });

  it('else that of the dashboard’s variable, by uid or name', () => {
    expect(sourceOf('', all, fill({ datasource: 'b' }))?.uid).toBe('b');
    expect(sourceOf('', all, fill({ datasource: 'Second' }))?.uid).toBe('b');
  });

  it('else the default one, or the first', () => {
    expect(sourceOf('', all, fill({}))?.uid).toBe('a');
    expect(sourceOf('', [...all, { uid: 'c', name: 'Third', isDefault: true }], fill({ datasource: 'prometheus' }))?.uid).toBe('c');
    expect(sourceOf('', [], fill({}))).toBeUndefined();
  });
});
