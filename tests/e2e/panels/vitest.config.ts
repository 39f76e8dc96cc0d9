import { defineConfig } from 'vitest/config';

// Run by the Go test that serves the page: go test -run TrackPanel ./tests/datasource
export default defineConfig({
  test: { include: ['tests/e2e/track/*.e2e.ts', 'tests/e2e/panels/*.e2e.ts'], testTimeout: 30_000, hookTimeout: 60_000, fileParallelism: false },
});
