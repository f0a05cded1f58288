/** Which weights a network has: their names, shapes and order; it alone knows PyTorch's keys. */
import { failOption, tuple } from '../errors.ts'
import { copyOfRange, create, floor, zeros } from '../intrinsics/captured.ts'
import { cellTraits } from '../spec/cell-traits.ts'
import { type CellWeights, directionsOf, type NetworkSpec, outputSizeOf } from '../spec/spec.ts'
import { elements } from '../tensor/shape.ts'
import { Tensor } from '../tensor/tensor.ts'

/** One weight of a network: its key in a state dict, its shape, and where it goes. */
export interface WeightEntry {
  readonly key: string
  readonly shape: readonly number[]
  readonly field: keyof CellWeights
  /** Floats from the start of the field: the three peepholes share one. */
  readonly offset: number
}

/** Past this a matrix fits no typed array of the common engines. */
const largestMatrix = 2 ** 30

/** Whether a weight is a matrix, which fewer bytes may keep. Biases and peepholes stay float32. */
export function isMatrix({ shape }: WeightEntry): boolean {
  return shape.length === 2
}

/** All weights of one layer in one direction, in PyTorch's order. */
function entriesOf(spec: NetworkSpec, layer: number, direction: number): WeightEntry[] {
  const H = spec.hiddenSize
  const O = outputSizeOf(spec)
  const K = layer === 0 ? spec.inputSize : directionsOf(spec) * O
  const rows = cellTraits[spec.cell].gates * H
  const suffix = `_l${layer}${direction === 1 ? '_reverse' : ''}`
  const entries: WeightEntry[] = []
  const add = (name: string, field: keyof CellWeights, shape: readonly number[], offset = 0) => {
    entries[entries.length] = { key: name + suffix, shape, field, offset }
  }
  add('weight_ih', 'weightIh', [rows, K])
  add('weight_hh', 'weightHh', [rows, O])
  if (spec.bias) add('bias_ih', 'biasIh', [rows])
  if (spec.bias) add('bias_hh', 'biasHh', [rows])
  if (spec.projSize > 0) add('weight_hr', 'weightHr', [spec.projSize, H])
  if (cellTraits[spec.cell].hasPeepholes) {
    add('weight_ci', 'peephole', [H], 0)
    add('weight_cf', 'peephole', [H], H)
    add('weight_co', 'peephole', [H], 2 * H)
  }
  return entries
}

export function checkMatrix(key: string, shape: readonly number[]): void {
  if (elements(shape) <= largestMatrix) return
  failOption(`the sizes are too large together: ${key} of shape ${tuple(shape)} passes 2^30 values`)
}

/** All weights of a network in PyTorch's order; one that is too large is refused. Reserves nothing. */
export function eachWeight(spec: NetworkSpec, visit: (entry: WeightEntry, index: number) => void): void {
  const D = directionsOf(spec)
  for (let index = 0; index < spec.numLayers * D; index++) {
    const entries = entriesOf(spec, floor(index / D), index % D)
    for (let i = 0; i < entries.length; i++) {
      checkMatrix(entries[i].key, entries[i].shape)
      visit(entries[i], index)
    }
  }
}

/** Fresh weights of a network, index layer · D + direction, each weight filled by `fill` in PyTorch's order. */
export function collectWeights(
  spec: NetworkSpec,
  fill: (entry: WeightEntry, target: Float32Array) => void,
): CellWeights[] {
  const all: { -readonly [K in keyof CellWeights]?: Float32Array }[] = []
  eachWeight(spec, (entry, index) => {
    all[index] ??= create(null) as (typeof all)[0]
    const fields = all[index]
    fields[entry.field] ??= zeros(entry.field === 'peephole' ? 3 * spec.hiddenSize : elements(entry.shape))
    fill(entry, fields[entry.field]!)
  })
  return all as CellWeights[]
}

/** The weights under their PyTorch names; the tensors take over the arrays given. */
export function toStateDict(spec: NetworkSpec, weights: readonly CellWeights[]): Record<string, Tensor> {
  const dict: Record<string, Tensor> = create(null)
  eachWeight(spec, ({ key, shape, field, offset }, index) => {
    const values = weights[index][field]!
    dict[key] = new Tensor(field === 'peephole' ? copyOfRange(values, offset, spec.hiddenSize) : values, shape)
  })
  return { ...dict }
}
