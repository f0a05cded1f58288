/**
 * What crosses the border to compiled code, as numbers: the header's fields, what each function is asked to do, and how calls end. Its
 * twin is native/protocol/; a test holds both against each other, so names and order are the same there.
 */
import { activationNames } from '../spec/activations.ts'
import type { CellFunction, CellFunctions } from '../spec/cell-functions.ts'
import { cellNames } from '../spec/cell-traits.ts'
import { operatorKinds } from '../spec/operator-traits.ts'
import type { CellWeights, Direction, NetworkSpec } from '../spec/spec.ts'

/** Integers of the header, which is written before a call: cheaper than arguments. */
export const headerLength = 16
/** Floats of the arena, through which small arrays go in and out. */
export const arenaLength = 8192

/** `op` is what to do. Whoever reads it sets it back to 0, the most frequent act of each function. */
export const headerField = { op: 0, T: 1, B: 2, flags: 3, slot: 4 } as const

export const networkOp = {
  forwardArena: 0,
  forward: 1,
  weights: 2,
  stream: 3,
  start: 4,
  batch: 5,
  share: 6,
  dispose: 7,
} as const
export const streamOp = { run: 0, readState: 1, writeState: 2, dispose: 3 } as const
export const batchOp = { launch: 0, collect: 1, bind: 2 } as const
export const operatorOp = { runArena: 0, run: 1, dispose: 2 } as const
/** Of the function that all streams step through, and all calls on the pool end with. */
export const callOp = { step: 0, takeArena: 1, take: 2, drop: 3, cancel: 4 } as const

/** How a call on the pool ended. */
export const outcome = { done: 0, cancelled: 1, outOfMemory: 2 } as const

/** Bits of the header's `flags`. */
export const forwardFlag = { batchFirst: 1, output: 2, h0: 4, c0: 8, lengths: 16 } as const

export const directionNumber = { forward: 0, reverse: 1, bidirectional: 2 } as const satisfies Record<Direction, number>
/** By their order in the lists of facts, which are C++'s. */
export const cellNumber = numbered(cellNames)
export const activationNumber = numbered(activationNames)
export const operatorNumber = numbered(operatorKinds)

function numbered<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, index) => [name, index])) as Record<Name, number>
}

/** Functions of one number, of two, and of many, by their numbers in a program; the first are the activations. */
export const mapFunctions = [
  'tanh',
  'sigmoid',
  'relu',
  'affine',
  'leakyRelu',
  'thresholdedRelu',
  'scaledTanh',
  'hardSigmoid',
  'elu',
  'softsign',
  'softplus',
  'abs',
  'neg',
  'sign',
  'ceil',
  'floor',
  'round',
  'sqrt',
  'reciprocal',
  'exp',
  'log',
  'erf',
  'sin',
  'cos',
  'gelu',
  'geluTanh',
  'hardSwish',
  'selu',
  'clip',
  'logicalNot',
] as const
export const zipFunctions = [
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'mod',
  'fmod',
  'min',
  'max',
  'prelu',
  'logicalAnd',
  'logicalOr',
  'logicalXor',
  'equal',
  'less',
  'lessOrEqual',
  'greater',
  'greaterOrEqual',
] as const
export const reductions = ['sum', 'mean', 'max', 'min', 'prod', 'l1', 'l2', 'sumSquare', 'logSumExp'] as const

/** The numbers of a specification, in their order. */
export const specFields = [
  'cell',
  'direction',
  'inputSize',
  'hiddenSize',
  'projSize',
  'numLayers',
  'bias',
] as const satisfies (keyof NetworkSpec)[]

/** The numbers that follow where the cell's functions are given: these, then {@link functionFields} of f g h for each direction. */
export const functionsFields = ['clip', 'inputForget'] as const satisfies (keyof CellFunctions)[]
export const functionFields = ['name', 'alpha', 'beta'] as const satisfies (keyof CellFunction)[]

/** The weights of one layer in one direction, in their order; undefined where there is none. */
export const weightFields = [
  'weightIh',
  'weightHh',
  'biasIh',
  'biasHh',
  'weightHr',
  'peephole',
] as const satisfies (keyof CellWeights)[]
