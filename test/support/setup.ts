/** What every test file has before it begins. */
import { expect } from 'vitest'
import { sameBytes } from './same-bytes.ts'

expect.addEqualityTesters([sameBytes])
