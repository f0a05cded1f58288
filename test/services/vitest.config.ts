/** The tests of the examples that need packages and Redis: `npm run test:examples` installs the packages and runs them. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/services/*.test.ts'], pool: 'forks', testTimeout: 60_000, hookTimeout: 60_000 },
})
