// What a test file gets for `import … from 'vitest'` under run.mjs: vitest's own describe, it and expect, without its
// bundler and its processes.
import * as library from '@vitest/expect'
import { getCurrentTest } from '@vitest/runner'
import { sameBytes } from '../same-bytes.ts'

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, onTestFinished, suite, test } from '@vitest/runner'

const { chai, getState, setState } = library
chai.use(library.JestExtend)
chai.use(library.JestChaiExpect)
chai.use(library.JestAsymmetricMatchers)

export const expect = (value, message) => {
  setState({ assertionCalls: getState(expect).assertionCalls + 1 }, expect)
  const assertion = chai.expect(value, message)
  const current = getCurrentTest()
  return current ? assertion.withTest(current) : assertion
}
Object.assign(expect, chai.expect, globalThis[library.ASYMMETRIC_MATCHERS_OBJECT], {
  getState: () => getState(expect),
  setState: (state) => setState(state, expect),
})
setState({ assertionCalls: 0, isExpectingAssertions: false, expectedAssertionsNumber: null }, expect)
library.addCustomEqualityTesters([sameBytes])
globalThis[library.GLOBAL_EXPECT] = expect
