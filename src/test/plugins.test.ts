import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

const src = join(import.meta.dirname, '..');
const json = (...path: string[]) => JSON.parse(readFileSync(join(src, ...path), 'utf8'));
const nested = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('plugin.json') && path !== 'plugin.json' && !path.includes('node_modules'))
  .sort();
const app = json('plugin.json');

describe('the app plugin', () => {
  it('stands at the top level of the repository too, word for word', () => {
    expect(readFileSync(join(src, '..', 'plugin.json'), 'utf8')).toBe(readFileSync(join(src, 'plugin.json'), 'utf8'));
  });

  it('has no executable: the build of Grafana’s SDK would skip the nested one', () => {
    expect(app).toMatchObject({ type: 'app', id: 'photofinish-race-app' });
    expect(app).not.toHaveProperty('executable');
    expect(app).not.toHaveProperty('backend');
  });

  it('shows wide PNGs of itself', () => {
    expect(app.info.screenshots.length).toBeGreaterThan(0);
    for (const { name, path } of app.info.screenshots) {
      expect(name).not.toBe('');
      const png = readFileSync(join(src, path));
      expect(png.toString('latin1', 1, 4)).toBe('PNG');
      expect(png.readUInt32BE(16), `width of ${path}`).toBeGreaterThanOrEqual(1280);
      expect(png.length, `size of ${path} in bytes`).toBeLessThan(500_000);
    }
  });

  it('lists every nested plugin with its type', () => {
    const want = nested.map((path) => ({ type: json(path).type, path }));
    const listed = app.includes.filter(({ type }: { type: string }) => type !== 'page' && type !== 'dashboard');
    expect(listed.map(({ type, path }: { type: string; path: string }) => ({ type, path }))).toEqual(want);
  });
});

describe.each(['plugin.json', ...nested])('%s', (path) => {
  const plugin = json(path);

  it('has logos of its own', () => {
    for (const logo of Object.values<string>(plugin.info.logos)) {
      expect(readFileSync(join(src, dirname(path), logo), 'utf8')).toContain('<svg');
    }
  });

  it('takes its version from package.json, as the app does', () => {
    expect(plugin.info.version).toBe('%VERSION%');
  });

  it('asks for Grafana 12.2', () => {
    expect(plugin.dependencies.grafanaDependency).toBe('>=12.2.0-0');
  });

  it('bears an id of the app', () => {
    expect(plugin.id).toMatch(/^photofinish-[a-z]+-(app|datasource|panel)$/);
  });
});

it('the data source is offered for panels, annotations and alerts, and runs its own binary', () => {
  expect(json('datasource', 'plugin.json')).toMatchObject({
    id: 'photofinish-race-datasource',
    executable: 'gpx_photofinish',
    backend: true,
    metrics: true,
    annotations: true,
    alerting: true,
    streaming: true,
  });
});

it('only the data source has a back end', () => {
  const withBackend = ['plugin.json', ...nested].filter((path) => json(path).backend || json(path).executable);
  expect(withBackend).toEqual([join('datasource', 'plugin.json')]);
});

describe('the provisioning samples', () => {
  const sample = (folder: string) => readFileSync(join(src, '..', 'provisioning', folder, 'photofinish.yaml'), 'utf8');
  const types = (text: string) => [...text.matchAll(/^ +(?:- )?type: (\S+)$/gm)].map(([, type]) => type);

  it('enable the app', () => {
    expect(types(sample('plugins'))).toEqual([app.id]);
  });

  it('name the data source and keep the token out of the file', () => {
    const text = sample('datasources');
    expect(types(text)).toEqual([json('datasource', 'plugin.json').id]);
    expect(text).toMatch(/secureJsonData:\n +runnerToken: \$\w+\n/);
  });
});
