import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A bound on a broken test, not a claim about speed: two busy cores may need a while for a second's work.
    expect: { poll: { timeout: 10_000 } },
    // Real sockets and child processes: a fork per file keeps one file's leak from another's result.
    pool: 'forks',
    reporters: ['default'],
  },
});
