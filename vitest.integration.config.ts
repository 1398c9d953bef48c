// Tests against real servers; they start what they need (see test/integration/servers).
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/integration/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    fileParallelism: false,
    // A server that is slow to start on a shared machine is no fault of ours; what fails twice is.
    retry: 1,
    env: { NODE_NO_WARNINGS: '1' },
  },
});
