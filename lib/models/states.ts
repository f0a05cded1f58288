/** The states of a stream as records, as values and as bytes. */

import { fail, failShape, list, tuple } from '../errors.ts'
import type { GraphData } from '../graph/tensor.ts'
import { bytesIn, create, fillValues, isArray, setValues, viewOfBytes } from '../intrinsics/captured.ts'
import { property } from '../intrinsics/properties.ts'
import { unsealState } from '../streams/saved-state.ts'
import { setLittleEndian } from '../tensor/bytes.ts'
import { checkNotDetached, isBigInts } from '../tensor/read.ts'
import { sameShape } from '../tensor/shape.ts'
import { type InputRule, readInput } from './input.ts'
import { checkRecord, refuseUnknown } from './names.ts'
import type { Opening, StateInput } from './opening.ts'
import { copyOfData, frozenCopy, type ModelTensor } from './values.ts'

/** Reads a value of exactly this shape; it may be the caller's own array. */
export function readExactly(value: unknown, rule: InputRule & { readonly shape: readonly number[] }): GraphData {
  const { data, shape } = readInput(value, rule)
  if (!sameShape(shape, rule.shape)) {
    failShape(`Expected ${rule.label} size ${tuple(rule.shape)}, got ${list(shape)}`)
  }
  return data
}

/** Reads values by name, each property once: undefined for those that are left out. `kept` are states, which are no inputs of a step. */
export function readValues(
  given: unknown,
  rules: readonly (InputRule & { readonly name: string; readonly shape: readonly number[] })[],
  what: string,
  where: string,
  kept: readonly StateInput[] = [],
): (GraphData | undefined)[] {
  const isFrame = what === 'input' && isArray(given)
  checkRecord(given, where, isFrame ? '; Float32Array.from(frame) makes the one input of float32' : '')
  refuseUnknown(given, rules, what, where, kept)
  const values: (GraphData | undefined)[] = []
  for (let i = 0; i < rules.length; i++) {
    const value = property(given, rules[i].name)
    values[i] = value === undefined ? undefined : readExactly(value, rules[i])
  }
  for (let i = 0; i < rules.length; i++) {
    const data = values[i]
    if (data !== undefined) checkNotDetached(rules[i].label, { data, shape: rules[i].shape })
  }
  return values
}

/** Replaces a state: by the values given, else by what it begins with. */
export function writeState(target: GraphData, { initial }: StateInput, data: GraphData | undefined): void {
  const values = data ?? initial
  if (values === undefined) fillZeros(target)
  else setValues(target, values)
}

export function fillZeros(target: GraphData): void {
  fillValues(target, isBigInts(target) ? 0n : 0)
}

/** States as users have them: copies. `data` is in the order of the states. */
export function stateRecord(states: readonly StateInput[], data: readonly GraphData[]): Record<string, ModelTensor> {
  const values: Record<string, ModelTensor> = create(null)
  for (let i = 0; i < states.length; i++) {
    const { name, type, shape } = states[i]
    values[name] = { data: copyOfData(type, data[i]), shape: frozenCopy(shape) }
  }
  return values
}

/** Writes saved states into arrays of their sizes; throws `ERR_RNN_STATE`, and then has written nothing. */
export function decodeStates(opening: Opening, given: unknown, into: readonly GraphData[]): void {
  const { values } = unsealState(opening.fingerprint(), given, ofModel)
  let length = 0
  for (let i = 0; i < into.length; i++) length += bytesIn(into[i])
  if (bytesIn(values) !== length) {
    fail('ERR_RNN_STATE', `the saved state is damaged: ${bytesIn(values)} bytes where these states have ${length}`)
  }
  let at = 0
  for (let i = 0; i < into.length; i++) {
    setLittleEndian(into[i], viewOfBytes(values, at, bytesIn(into[i])))
    at += bytesIn(into[i])
  }
}

const ofModel =
  'of another model: it continues only on a model with the same constants, with the states that it was made with'
