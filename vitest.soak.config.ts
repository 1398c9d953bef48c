// The soak: hours of real workers. SENTRAIL_SOAK_MINUTES sets how long (default 60).
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/soak/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    testTimeout: 24 * 3_600_000,
    hookTimeout: 300_000,
    pool: 'forks',
    env: { NODE_NO_WARNINGS: '1' },
  },
});
