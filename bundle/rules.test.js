import { describe, expect, it } from 'vitest';

import { offences } from './rules.js';

const chunk = (parts) => ({ type: 'chunk', fileName: 'module.js', imports: [], moduleIds: [], ...parts });

describe('the rules of a bundle', () => {
  it.each([
    ['what Grafana supplies may be imported', [chunk({ imports: ['react', '@grafana/ui'] })], []],
    [
      'the automatic JSX runtime may not be imported',
      [chunk({ imports: ['react/jsx-runtime'] })],
      ['module.js imports react/jsx-runtime, which Grafana does not supply'],
    ],
    [
      'the automatic JSX runtime may not be bundled either',
      [chunk({ moduleIds: ['/x/node_modules/react/cjs/react-jsx-runtime.production.min.js'] })],
      ['module.js bundles React: /x/node_modules/react/cjs/react-jsx-runtime.production.min.js'],
    ],
    [
      'React may not be bundled',
      [chunk({ moduleIds: ['/x/src/module.tsx', '/x/node_modules/react-dom/index.js'] })],
      ['module.js bundles React: /x/node_modules/react-dom/index.js'],
    ],
    ['a package whose name starts like React may be bundled', [chunk({ moduleIds: ['/x/node_modules/react-use/a.js'] })], []],
    ['a second chunk is refused', [chunk({}), chunk({ fileName: 'b.js' })], ['there are 2 chunks: a plugin is one module.js']],
    ['assets are no chunks', [chunk({}), { type: 'asset', fileName: 'plugin.json' }], []],
  ])('%s', (_name, files, want) => {
    expect(offences(files)).toEqual(want);
  });
});
