import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vitest/config';

// Grafana's CommonJS builds: its ES modules import CommonJS packages in a way that bundlers accept and Node does not.
const grafana = ['data', 'runtime', 'schema', 'ui'].map((name) => ({
  find: new RegExp(`^@grafana/${name}$`),
  replacement: fileURLToPath(new URL(`node_modules/@grafana/${name}/dist/cjs/index.cjs`, import.meta.url)),
}));

export default defineConfig({
  resolve: { alias: grafana },
  esbuild: { jsx: 'transform' }, // as in the bundle: no react/jsx-runtime
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'bundle/*.test.js'],
    environment: 'jsdom', // @grafana/data asks for window when it is loaded
    setupFiles: ['src/test/setup.ts'],
    testTimeout: 20_000, // the first test of a file loads @grafana/ui
    maxWorkers: 2,
    minWorkers: 1,
  },
});
