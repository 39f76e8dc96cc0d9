import { defineConfig } from 'vitest/config';

// Run by the Go test that starts the runner behind the page: npm run test:browser
export default defineConfig({
  test: { include: ['tests/e2e/control/*.e2e.ts'], testTimeout: 30_000, hookTimeout: 60_000, fileParallelism: false },
});
