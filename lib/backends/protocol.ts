/**
 * What crosses the border to compiled code, as numbers: the header's fields, what each function is asked to do, and how calls end. Its
 * twin is native/protocol/; a test holds both against each other, so names and order are the same there.
 */
import { activationNames } from '../spec/activations.ts'
import type { CellFunction, CellFunctions } from '../spec/cell-functions.ts'
import { cellNames } from '../spec/cell-traits.ts'
import { operatorKinds } from '../spec/operator-traits.ts'
import type { CellWeights, Direction, NetworkSpec } from '../spec/spec.ts'
import { activationTypes, weightTypes } from '../spec/weight-types.ts'

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
export const operatorOp = { runArena: 0, run: 1, weights: 2, dispose: 3 } as const
/** Of the function that all streams step through, and all calls on the pool end with. */
export const callOp = { step: 0, takeArena: 1, take: 2, drop: 3, cancel: 4 } as const

/** How a call on the pool ended. */
export const outcome = { done: 0, cancelled: 1, outOfMemory: 2, failed: 3 } as const

/** Bits of the header's `flags`. */
export const forwardFlag = { batchFirst: 1, output: 2, h0: 4, c0: 8, lengths: 16 } as const

export const directionNumber = { forward: 0, reverse: 1, bidirectional: 2 } as const satisfies Record<Direction, number>
/** By their order in the lists of facts, which are C++'s. */
export const cellNumber = numbered(cellNames)
export const activationNumber = numbered(activationNames)
export const operatorNumber = numbered(operatorKinds)
export const weightTypeNumber = numbered(weightTypes)
export const activationTypeNumber = numbered(activationTypes)

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
export const mapFunction = numbered(mapFunctions)
export const zipFunction = numbered(zipFunctions)
export const reduceKind = numbered(reductions)

/** The numbers of a specification, in their order. */
export const specFields = [
  'cell',
  'direction',
  'inputSize',
  'hiddenSize',
  'projSize',
  'numLayers',
  'bias',
  'weights',
  'activations',
] as const satisfies (keyof NetworkSpec)[]

/** The numbers that follow where the cell's functions are given: these, then {@link functionFields} of f g h for each direction. */
export const functionsFields = ['clip', 'inputForget'] as const satisfies (keyof CellFunctions)[]
export const functionFields = ['name', 'alpha', 'beta'] as const satisfies (keyof CellFunction)[]

/** The weights of one layer in one direction, in their order; undefined where there is none, or where scales follow from the weights. */
export const weightFields = [
  'weightIh',
  'weightHh',
  'biasIh',
  'biasHh',
  'weightHr',
  'peephole',
  'scalesIh',
  'scalesHh',
  'scalesHr',
] as const satisfies (keyof CellWeights)[]

/** Of the function that is a program, and of the one that is an instance of it. */
export const programOp = { instance: 0, dispose: 1 } as const
export const instanceOp = { run: 0, start: 1, failedAt: 2, dispose: 3, gather: 4, scatter: 5 } as const

/** What an instruction of a program does. Its numbers: this, how many follow, its operands. */
export const opcode = {
  copy: 0,
  cast: 1,
  fill: 2,
  map: 3,
  zip: 4,
  where: 5,
  reduce: 6,
  argReduce: 7,
  softmax: 8,
  norm: 9,
  gather: 10,
  gatherElements: 11,
  oneHot: 12,
  cumSum: 13,
  topK: 14,
  gemm: 15,
  matmul: 16,
  conv: 17,
  depthwise: 18,
  convTranspose: 19,
  pool: 20,
  network: 21,
  symmetricConv: 22,
  branch: 23,
} as const

/** Where a view lies. */
export const regionNumber = { constants: 0, io: 1, scratch: 2 } as const

/** The types of a view's values. Halves lie in memory as float32; a cast to them rounds. */
export const elementNumber = { float32: 0, int32: 1, int64: 2, bool: 3, uint8: 4, int8: 5, float16: 6 } as const

/** What a window gives. */
export const poolKind = { max: 0, average: 1, averageWithPadding: 2 } as const
