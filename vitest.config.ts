/** How tests run: each file in a process of its own, so that a crash of native code takes one file down and says which. */
import { configDefaults, defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those want packages of their own: `npm run test:examples`.
    exclude: [...configDefaults.exclude, 'test/services/**'],
    pool: 'forks',
    maxWorkers: '100%',
    setupFiles: ['test/support/setup.ts'],
    // Small networks are to go through what large ones do.
    env: { NATIVE_RNN_SHARING: 'always' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
