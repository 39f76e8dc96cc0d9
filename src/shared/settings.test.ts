import { describe, expect, it } from 'vitest';

import { mapRows, moved, rowsMap } from './settings';

describe('moving an element', () => {
  it.each<[string, number, 1 | -1, string[]]>([
    ['up', 1, -1, ['b', 'a', 'c']],
    ['down', 1, 1, ['a', 'c', 'b']],
    ['above the top changes nothing', 0, -1, ['a', 'b', 'c']],
    ['below the bottom changes nothing', 2, 1, ['a', 'b', 'c']],
    ['that there is not changes nothing', 3, -1, ['a', 'b', 'c']],
  ])('%s', (_name, from, by, want) => {
    expect(moved(['a', 'b', 'c'], from, by)).toEqual(want);
  });
});

describe('the map of apps', () => {
  it('comes back from its rows', () => {
    const map = { control: 'shop-v1', candidate: 'shop-v2' };
    expect(rowsMap(mapRows(map))).toEqual(map);
  });

  it('leaves half written rows out and trims the others', () => {
    const rows = [
      { app: ' control ', container: ' v1 ' },
      { app: 'x', container: '' },
      { app: '', container: 'y' },
    ];
    expect(rowsMap(rows)).toEqual({ control: 'v1' });
  });

  it('of no rows is no map', () => {
    expect(rowsMap([{ app: '', container: '' }])).toBeUndefined();
  });
});
