/** Activation functions as users give them, by name or with factors; it alone knows the words that refuse others. */

import { describe, failOption } from '../errors.ts'
import { create, fround, isArray } from '../intrinsics/captured.ts'
import { isObject } from '../intrinsics/properties.ts'
import { type ActivationName, activationNames, traitsOf } from '../spec/activations.ts'
import { type CellFunction, type CellFunctions, cellWith, usualFunctions } from '../spec/cell-functions.ts'
import type { CellName, ClassName } from '../spec/spec.ts'
import { boolean, type Check, type Checked, isRecord, layerChecks, oneOf, readOptions } from './checks.ts'
import type { Activation } from './options.ts'

const factors = ['alpha', 'beta'] as const
const activationName = oneOf(...activationNames)

/** A number that float32 can hold; rounded to it, so that every backend computes with the same. */
const factor: Check<number> = (value, name) => {
  const rounded = typeof value === 'number' ? fround(value) : Infinity
  if (rounded - rounded === 0) return rounded
  return failOption(`${name} must be a finite float32 number, got ${describe(value)}`)
}

/** A function of ONNX: what is left out of its factors has the default. */
export function cellFunction(name: ActivationName, alpha?: number, beta?: number): CellFunction {
  const traits = traitsOf(name)
  return { name, alpha: fround(alpha ?? traits.alpha ?? 0), beta: fround(beta ?? traits.beta ?? 0) }
}

/** A function, by name or `{ name, alpha, beta }`. */
export const activation: Check<CellFunction> = (value, name) => {
  if (!isObject(value) || isArray(value)) return cellFunction(activationName(value, name))
  const read = readOptions(value, { name: activationName, alpha: factor, beta: factor }, name, `${name}.`)
  const known = activationName(read.name, `${name}.name`)
  const traits = traitsOf(known)
  for (let i = 0; i < factors.length; i++) {
    const field = factors[i]
    if (read[field] === undefined || traits[field] !== undefined) continue
    failOption(`${name}.${field} must be left out: ${known} has no ${field}`)
  }
  return cellFunction(known, read.alpha, read.beta)
}

/** The functions of a cell by what they are for; each may be left out. */
export function functionsOf<Role extends string>(...roles: readonly Role[]): Check<{ [K in Role]?: CellFunction }> {
  return (value, name) => {
    if (!isRecord(value)) {
      failOption(`${name} must be an object of activations, got ${describe(value)}`)
    }
    const checks: { [K in Role]?: Check<CellFunction> } = create(null)
    for (let i = 0; i < roles.length; i++) checks[roles[i]] = activation
    return readOptions(value, checks as Record<Role, Check<CellFunction>>, name, `${name}.`)
  }
}

/** A function as users give it, factors only where it takes any. */
export function shownActivation({ name, alpha, beta }: CellFunction): Activation {
  const traits = traitsOf(name)
  if (traits.alpha === undefined) return name
  return traits.beta === undefined ? { name, alpha } : { name, alpha, beta }
}

const sigmoid = cellFunction('sigmoid')
const tanh = cellFunction('tanh')
/** Without a prototype, like all options that were read. */
const defaults: NonNullable<FunctionOptions['functions']> = create(null)

/** The options that say what a cell computes with. */
export type FunctionOptions = Checked<{
  clip: typeof layerChecks.clip
  inputForget: Check<boolean>
  nonlinearity: typeof activation
  functions: Check<{ gate?: CellFunction; candidate?: CellFunction; output?: CellFunction }>
}>

/** The cell that options ask for, and its functions where they are not built in: the same for each of D directions. */
export function cellOfOptions(
  cell: CellName,
  className: ClassName,
  D: number,
  options: FunctionOptions,
): ReturnType<typeof cellWith> {
  const { functions = defaults, nonlinearity = tanh } = options
  const { gate = sigmoid, candidate = tanh, output = tanh } = functions
  const own = { RNN: [nonlinearity], GRU: [gate, candidate], LSTM: [gate, candidate, output] }[className]
  const directions: CellFunction[][] = []
  for (let d = 0; d < D; d++) directions[d] = own
  return cellWith(cell, { directions, clip: options.clip ?? Infinity, inputForget: options.inputForget ?? false })
}

/** Functions out of a handle, which may have come from anywhere; the result is a copy. */
export function readFunctions(className: ClassName, D: number, value: unknown, name: string): CellFunctions {
  const given = (isObject(value) ? value : {}) as Record<keyof CellFunctions, unknown>
  const lists = isArray(given.directions) ? given.directions : []
  const directions: CellFunction[][] = []
  for (let d = 0; d < D; d++) {
    const list: unknown = lists[d]
    directions[d] = []
    for (let f = 0; f < usualFunctions[className].length; f++) {
      const where = `${name}.directions[${d}][${f}]`
      const one = (isArray(list) ? list[f] : undefined) as Partial<Record<keyof CellFunction, unknown>> | undefined
      directions[d][f] = {
        name: activationName(one?.name, `${where}.name`),
        alpha: factor(one?.alpha, `${where}.alpha`),
        beta: factor(one?.beta, `${where}.beta`),
      }
    }
  }
  const bound = given.clip === Infinity ? Infinity : layerChecks.clip(given.clip, `${name}.clip`)
  return { directions, clip: bound, inputForget: boolean(given.inputForget, `${name}.inputForget`) }
}
