import { defineConfig } from 'vitest/config';

// What judges the mutants of `npm run test:mutation`: the tests of the rooms themselves. A mutant that only a test of the whole gateway
// kills counts as alive, since such a test would not say which rule was broken. `docs/decisions/stryker.md`.
const rooms = process.env['MUTATION_TESTS']?.split(',') ?? ['test/identity/**', 'test/policy/**'];

export default defineConfig({
  test: {
    include: rooms.map((room) => (room.endsWith('.test.ts') ? room : `${room}/*.test.ts`)),
    // A whole authorization server, and an oracle that loads a second policy engine: seconds for each mutant, and neither decides alone.
    exclude: ['test/identity/real-issuer.test.ts', 'test/policy/cedar-oracle.test.ts'],
    environment: 'node',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
  },
});
