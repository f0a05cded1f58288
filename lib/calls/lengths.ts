/** The lengths of a batch's rows; it alone knows what is right for them. */
import { describe, failOption, failShape } from '../errors.ts'
import { isArray, isSafeInteger, newInts } from '../intrinsics/captured.ts'
import { readIntegers } from '../tensor/integers.ts'

const toNumber = Number

/** Reads `lengths`, one of 0 to T for each of B rows; a copy. */
export function readLengths(given: unknown, B: number, T: number): Int32Array {
  let values: ArrayLike<unknown> = given as readonly unknown[]
  let count: number
  if (isArray(given)) count = given.length
  else {
    const { data, shape } = readIntegers(given, 'lengths', refuse)
    if (shape.length !== 1) failShape(`lengths must be 1-D, got a ${shape.length}-D tensor`)
    values = data
    count = shape[0]
  }
  if (count !== B) {
    failShape(`Expected \`len(lengths)\` to be equal to batch_size, but got ${count} (batch_size=${B})`)
  }
  const lengths = newInts(B)
  for (let b = 0; b < B; b++) {
    const value = values[b]
    const length = typeof value === 'bigint' ? toNumber(value) : value
    if (!isSafeInteger(length) || (length as number) < 0 || (length as number) > T) {
      failOption(`lengths[${b}] must be an integer from 0 to T = ${T}, got ${describe(value)}`)
    }
    lengths[b] = length as number
  }
  return lengths
}

function refuse(value: unknown): never {
  failOption(`lengths must be an array of integers, got ${describe(value)}`)
}
