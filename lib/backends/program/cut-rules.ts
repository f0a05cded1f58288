/** How each instruction is cut, and what it takes: in multiply-adds, 4 million of which are a millisecond or two. */

import { axesOf, count } from '../../graph/tensor.ts'
import { reduceKind, zipFunction } from '../protocol.ts'
import { laidColumns, laidRows, laidSequence, longNorm, rowOf, sequenceOf } from './cut-rows.ts'
import { type Follow, made, type Rule, runsOf, sizeOf, sliceOf } from './cut-rule.ts'
import { rowsOf, wholeTiles } from './cut-tiles.ts'
import { conv, depthwise, pool, symmetricConv, transposed } from './cut-windows.ts'
import { type Instruction, isView, merged, viewsOf } from './emit.ts'
import { isDense, orderOf, type View } from './views.ts'

/** To begin a run of values, a row that becomes one value or a row, a place that is looked up, a product of two matrices. */
const [perRun, perRow, perPlace, perProduct] = [12, 100, 50, 80]

/** Of operands with the axes of the result; `work` is that of a value, `isApart` says of an axis whether it can be cut. */
const alike =
  (work: number, isApart: (axis: number, instruction: Instruction) => boolean = () => true): Rule =>
  (instruction) => ({
    work: work * Math.max(...[...instruction.inputs, ...instruction.outputs].filter(isView).map(sizeOf)),
    axes: axesOf(made(instruction).shape).filter((axis) => isApart(axis, instruction)),
    part: sliceOf(instruction),
  })

/** The same along rows of the axis whose number stands at this place of the inputs. */
const alongRows =
  (work: number, place: number): Rule =>
  (instruction) => {
    const axisOf = ({ inputs }: Instruction) => inputs[place] as number
    const one = alike(work, (axis, of) => axis !== axisOf(of))(instruction)
    const x = instruction.inputs.find(isView)!
    return { ...one, work: one.work + (perRow * sizeOf(x)) / x.shape[axisOf(instruction)] }
  }

/** Values that lie further apart share no line of a cache. */
const wideStep = 8

/** Where operands do not lie in the order of the result, or in wide steps, each value is far from the next one: no cache helps. */
const moving =
  (work: number): Rule =>
  (instruction) => {
    const views = viewsOf(instruction)
    const order = `${orderOf(made(instruction))}`
    const steps = merged(views).flatMap(({ strides }) => strides.slice(-1))
    const isFar = views.some((x) => `${orderOf(x)}` !== order) || steps.some((step) => Math.abs(step) >= wideStep)
    const one = alike(isFar ? work + 14 : work)(instruction)
    return { ...one, work: one.work + perRun * runsOf(instruction) }
  }

/** Powers and remainders of floats are made one by one. */
const zip: Rule = (instruction) => {
  const [kind] = instruction.inputs
  return moving(kind === zipFunction.pow || kind === zipFunction.fmod ? 160 : 4)(instruction)
}

const reduce: Rule = (instruction) => {
  const [kind, x] = instruction.inputs as [number, View]
  const y = made(instruction)
  const isExp = kind === reduceKind.logSumExp
  const one = alike(isExp ? 16 : 4, (axis) => x.shape[axis] === y.shape[axis])(instruction)
  return {
    ...one,
    work: one.work + (isExp ? 2 : 1) * perRow * sizeOf(y),
    instead: () => (isDense(x) ? undefined : laidRows(instruction)),
  }
}

const softmax: Rule = (instruction) => {
  const views = [instruction.inputs[2] as View, made(instruction)]
  return {
    ...alongRows(16, 1)(instruction),
    instead: () => (views.every((view) => isDense(view)) ? undefined : laidRows(instruction)),
  }
}

const norm: Rule = (instruction) => {
  const { inputs } = instruction
  const row = rowOf(instruction)
  const one = alike(8, (axis) => axis < (inputs[2] as View).shape.length - row.length)(instruction)
  const rows = sizeOf(made(instruction)) / count(row)
  return { ...one, work: one.work + 2 * perRow * rows, instead: () => longNorm(instruction) }
}

const gather: Rule = (instruction) => {
  const [taken, , indices] = instruction.inputs as [number, View, View]
  const places = indices.shape.length
  const follow: Follow = (_, axis, place) => {
    const isPlace = axis >= taken && axis < taken + places
    if (place === 2) return isPlace ? axis - taken : -1
    return isPlace ? -1 : axis < taken ? axis : axis - places + 1
  }
  const y = made(instruction)
  const looks = count(y.shape.slice(0, taken + places))
  return {
    work: 4 * sizeOf(y) + perPlace * looks,
    axes: axesOf(y.shape),
    part: sliceOf(instruction, follow),
  }
}

const gatherElements: Rule = (instruction) => {
  const [taken] = instruction.inputs
  const y = made(instruction)
  const follow: Follow = (_, axis, place) => (place === 1 && axis === taken ? -1 : axis)
  return { work: perPlace * sizeOf(y), axes: axesOf(y.shape), part: sliceOf(instruction, follow) }
}

const oneHot: Rule = (instruction) => {
  const [taken] = instruction.inputs as number[]
  const y = made(instruction)
  const follow: Follow = (_, axis, place) => (place === 2 ? (axis < taken ? axis : axis - 1) : -1)
  return {
    work: 2 * sizeOf(y),
    axes: axesOf(y.shape).filter((axis) => axis !== taken),
    part: sliceOf(instruction, follow),
  }
}

const gemm: Rule = (instruction) => {
  const [, , , K, N] = instruction.inputs as number[]
  const y = made(instruction)
  return {
    work: (sizeOf(y) / N) * (K * wholeTiles(N) + 32),
    least: rowsOf(K * N),
    axes: axesOf(y.shape).slice(0, -1),
    part: sliceOf(instruction),
  }
}

/** Tiles of 4 rows and 8 columns take as long where they are not whole. */
const matmul: Rule = (instruction) => {
  const [, a] = instruction.inputs as [number, View, View]
  const y = made(instruction)
  const rank = y.shape.length
  const [M, N] = y.shape.slice(-2)
  // Rows are those of a, columns those of b.
  const follow: Follow = (_, axis, place) => (axis === rank - (place === 1 ? 1 : 2) ? -1 : axis)
  const tiles = 4 * Math.ceil(M / 4) * wholeTiles(N)
  return {
    work: (sizeOf(y) / (M * N)) * (tiles * a.shape[rank - 1] + perProduct),
    axes: axesOf(y.shape),
    fewest: (axis) => (axis < rank - 2 ? 1 : 8),
    part: sliceOf(instruction, follow),
    instead: () => laidColumns(instruction),
    isInsteadFirst: true,
  }
}

/** Cuts itself in rows and time, but for bringing its input together. */
const network: Rule = (instruction) => ({
  work: 16 * sizeOf(sequenceOf(instruction)),
  axes: [],
  part: () => undefined,
  instead: () => laidSequence(instruction),
})

export const rules: Partial<Record<Instruction['name'], Rule>> = {
  copy: moving(2),
  cast: moving(4),
  fill: alike(1),
  map: moving(10),
  zip,
  where: moving(3),
  reduce,
  argReduce: alongRows(4, 2),
  softmax,
  norm,
  gather,
  gatherElements,
  oneHot,
  cumSum: alongRows(4, 0),
  topK: alongRows(40, 0),
  gemm,
  matmul,
  conv,
  depthwise,
  pool,
  symmetricConv,
  convTranspose: transposed,
  network,
}
