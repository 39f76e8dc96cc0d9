// Bundles the app and each plugin nested in it: wherever src/ has a plugin.json, dist/ gets one AMD module.js with its map.
// Grafana loads AMD modules and supplies React, its own packages and a few libraries; the rest is bundled (see bundle/rules.js).
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

import commonjs from '@rollup/plugin-commonjs';
import nodeResolve from '@rollup/plugin-node-resolve';
import { transform } from 'esbuild';

import { copiesOf } from './bundle/dashboards.js';
import { offences, supplied } from './bundle/rules.js';

const src = resolve('src');
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const target = 'es2022';

// The folders of src/ that hold a plugin, '' being the app itself.
const plugins = readdirSync(src, { recursive: true })
  .filter((path) => path.endsWith('plugin.json') && !path.includes('node_modules'))
  .map(dirname)
  .map((folder) => (folder === '.' ? '' : folder));

// The app's dashboards, and where Grafana's provisioning finds copies of them.
const dashboards = join(src, 'dashboards');
const copies = resolve('provisioning', 'dashboards', 'photofinish');

rmSync('dist/dashboards', { recursive: true, force: true });
rmSync('dist/img', { recursive: true, force: true });
for (const folder of plugins) {
  rmSync(join('dist', folder, 'img'), { recursive: true, force: true });
}

export default plugins.map((folder) => ({
  input: ['module.ts', 'module.tsx'].map((name) => join(src, folder, name)).find((path) => existsSync(path)),
  external: supplied,
  treeshake: { moduleSideEffects: false },
  output: {
    file: join('dist', folder, 'module.js'),
    format: 'amd',
    exports: 'named',
    interop: 'compat', // Grafana supplies React with or without a default export, depending on its version
    sourcemap: true,
    // Paths in the map are relative to src/, so that the validator and a debugger find the sources.
    sourcemapPathTransform: (path, map) => relative(src, resolve(dirname(map), path)),
  },
  plugins: [
    nodeResolve({ browser: true, extensions: ['.mjs', '.js', '.ts', '.tsx', '.json'] }),
    commonjs(),
    typescript(),
    minify(),
    rules(),
    assets(folder),
  ],
}));

// typescript strips types; `npm run typecheck` is what checks them. JSX becomes React.createElement: Grafana 12.2 does not
// supply react/jsx-runtime.
function typescript() {
  return {
    name: 'typescript',
    transform(code, id) {
      if (!/\.tsx?$/.test(id)) {
        return null;
      }
      const loader = id.endsWith('x') ? 'tsx' : 'ts';
      return transform(code, { loader, target, jsx: 'transform', sourcefile: id, sourcemap: true });
    },
  };
}

function minify() {
  return { name: 'minify', renderChunk: (code) => transform(code, { target, minify: true, sourcemap: true }) };
}

// rules fails the build over what Grafana would not load.
function rules() {
  return {
    name: 'rules',
    generateBundle(_options, bundle) {
      const found = offences(Object.values(bundle));
      if (found.length > 0) {
        this.error(found.join('\n'));
      }
    },
  };
}

// assets puts beside each module.js its plugin.json and logos, and beside the app's what people read.
function assets(folder) {
  const today = new Date(Number(process.env.SOURCE_DATE_EPOCH ?? Date.now() / 1000) * 1000).toISOString().slice(0, 10);
  return {
    name: 'assets',
    generateBundle() {
      const manifest = readFileSync(join(src, folder, 'plugin.json'), 'utf8');
      const source = manifest.replaceAll('%VERSION%', version).replaceAll('%TODAY%', today);
      this.emitFile({ type: 'asset', fileName: 'plugin.json', source });
      if (folder === '') {
        // The README of the catalog is not the repository's: its readers have no Go, and links into the repository would be broken.
        for (const path of ['src/README.md', 'CHANGELOG.md', 'LICENSE']) {
          this.emitFile({ type: 'asset', fileName: basename(path), source: readFileSync(path) });
        }
      }
    },
    writeBundle() {
      cpSync(join(src, folder, 'img'), join('dist', folder, 'img'), { recursive: true });
      if (folder === '') {
        cpSync(dashboards, join('dist', 'dashboards'), { recursive: true });
        provision();
      }
    },
  };
}

// provision writes the copies of the dashboards, under the names of the originals.
function provision() {
  const names = readdirSync(dashboards).filter((name) => name.endsWith('.json'));
  mkdirSync(copies, { recursive: true });
  copiesOf(names.map((name) => JSON.parse(readFileSync(join(dashboards, name), 'utf8')))).forEach((text, i) =>
    writeFileSync(join(copies, names[i]), text)
  );
}
