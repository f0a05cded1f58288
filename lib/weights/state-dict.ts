/** Reading state dicts: which keys count, what each must be, what is wrong, and which network a dict describes. */

import { describe, fail, list, named, RNNError, some, tuple, unawaited, withArticle } from '../errors.ts'
import { mapGet, mapHas, mapSet, setValues } from '../intrinsics/captured.ts'
import { isObject, property } from '../intrinsics/properties.ts'
import { trueLength } from '../intrinsics/typed-arrays.ts'
import { largestSize, mostLayers } from '../options/checks.ts'
import { scalesOf, setScales } from '../precision/scales.ts'
import { cellNames, cellTraits } from '../spec/cell-traits.ts'
import type { CellName, CellWeights, ClassName, NetworkSpec } from '../spec/spec.ts'
import type { WeightType } from '../spec/weight-types.ts'
import { type ReadTensor, readTensor } from '../tensor/read.ts'
import { elements, sameShape } from '../tensor/shape.ts'
import type { TensorLike } from '../tensor/tensor.ts'
import { collectWeights, eachWeight, isMatrix, type WeightEntry } from './names.ts'
import { wrongValue } from './range.ts'
import { reparametrized } from './reparametrized.ts'

/**
 * Weights by PyTorch's names, as `torch.nn.Module.state_dict()` has them: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`,
 * then `_l1` …, each with `_reverse` for the second direction, and `weight_hr_l0` for a projection; peepholes are `weight_ci_l0`,
 * `weight_cf_l0`, `weight_co_l0`. The names of PyTorch's single cells (`weight_ih`, …) load as one layer.
 */
export type StateDict = Record<string, TensorLike>

/** Of what is wrong with a dict, so many are said; the rest is counted. */
const mostProblems = 20

const layerKey = /^(weight|bias)_(ih|hh|hr|ci|cf|co)_l(0|[1-9]\d{0,8})(_reverse)?$/

interface Entry {
  readonly key: string
  readonly value: unknown
  /** The value as a tensor, undefined where it is none; null before it was read. */
  read: ReadTensor | undefined | null
}

/**
 * The entries of a dict under a prefix. Each value is read once; what is wrong is noted and raised together, so that one
 * `ERR_RNN_STATE_DICT` names every weight that is missing, left over, of the wrong shape, or not finite.
 */
export class StateDictReader {
  readonly #values = new Map<string, Entry>()
  readonly #problems: string[] = []
  readonly #taken = new Set<string>()
  readonly #fitting = new Map<string, WeightType>()
  readonly #allKeys: readonly string[]
  /** Those under the prefix. */
  readonly #keys: readonly string[]
  readonly #prefix: string

  constructor(dict: unknown, prefix = '') {
    checkDict(dict)
    this.#allKeys = Object.keys(dict)
    // 'rnn' means 'rnn.' where there is such a module, so that 'rnn2.…' stays outside.
    const dotted = prefix === '' || prefix.endsWith('.') ? prefix : `${prefix}.`
    const begins = (start: string) => this.#allKeys.some((key) => key.startsWith(start))
    this.#prefix = begins(dotted) || !begins(prefix) ? dotted : prefix
    this.#keys = this.#allKeys.filter((key) => key.startsWith(this.#prefix))
    const nameOf = (key: string) => key.slice(this.#prefix.length)
    const ofCell = !this.#keys.some((key) => layerKey.test(nameOf(key)))
    for (const key of this.#keys) {
      const name = nameOf(key)
      const full = ofCell && layerKey.test(`${name}_l0`) ? `${name}_l0` : name
      mapSet(this.#values, full, { key, value: (dict as Record<string, unknown>)[key], read: null })
    }
  }

  /** The names under the prefix. */
  names(): Iterable<string> {
    return this.#values.keys()
  }

  has(name: string): boolean {
    return mapHas(this.#values, name)
  }

  /** A value as a tensor; undefined, and noted, where it is none. */
  tensor(name: string): ReadTensor | undefined {
    const entry = mapGet(this.#values, name)!
    if (entry.read === null) entry.read = this.#readOnce(entry)
    return entry.read
  }

  #readOnce({ key, value }: Entry): ReadTensor | undefined {
    try {
      return readTensor(value, named(key))
    } catch (error) {
      if (!(error instanceof RNNError)) throw error
      return this.#note(error.message)
    }
  }

  /** The shape of a matrix that inference cannot do without. */
  matrix(name: string): readonly number[] {
    if (!this.has(name)) return this.stop(`missing ${this.#key(name)}`, name)
    const shape = this.tensor(name)?.shape ?? this.stop()
    return shape.length === 2 ? shape : this.stop(`${this.#key(name)} must have 2 axes, got shape ${list(shape)}`)
  }

  /** Sizes read off shapes have the same range as sizes given. */
  sizes(sizes: Readonly<Record<string, number>>): void {
    for (const [name, size] of Object.entries(sizes)) {
      if (size < 1 || size > largestSize)
        this.stop(`${name} must be from 1 to ${largestSize}, and the shapes say ${size}`)
    }
  }

  /** Notes why a weight cannot be taken, to be kept in this format, if so. Reserves nothing: what a dict only claims costs nothing. */
  expect(name: string, shape: readonly number[], type: WeightType): ReadTensor | undefined {
    this.#taken.add(name)
    const key = this.#key(name)
    if (!this.has(name)) return this.#note(`missing ${key} of shape ${tuple(shape)}`)
    const read = this.tensor(name)
    if (!read) return undefined
    if (!sameShape(read.shape, shape)) {
      return this.#note(`${key} must have shape ${tuple(shape)}, got ${list(read.shape)}`)
    }
    if (trueLength(read.data) !== elements(shape)) return this.#note(`${key} lost its values while the dict was read`)
    mapSet(this.#fitting, name, type)
    return read
  }

  /** Raises what was noted by {@link expect}, and what else is wrong. */
  check(): void {
    if (this.#problems.length === 0) return
    for (const [name, type] of this.#fitting) {
      const { shape, data } = this.tensor(name)!
      this.#checkValues(name, shape, data, 0, type)
    }
    this.finish()
  }

  /** Copies a weight to its place, or notes why it cannot be. */
  take(name: string, shape: readonly number[], target: Float32Array, type: WeightType, offset = 0): void {
    const read = this.expect(name, shape, type)
    if (!read) return
    setValues(target, read.data, offset)
    const scales = type === 'int8' ? scalesOf(read.data) : undefined
    if (scales && trueLength(scales) === shape[0]) setScales(target, scales)
    this.#checkValues(name, shape, target, offset, type)
  }

  #checkValues(name: string, shape: readonly number[], values: Float32Array, offset: number, type: WeightType): void {
    const wrong = wrongValue(values, shape, type, offset)
    if (wrong !== undefined) this.#note(`${this.#key(name)} ${wrong}`)
  }

  #note(problem: string): undefined {
    this.#problems[this.#problems.length] = problem
  }

  /** Raises all that was noted; keys that nothing took are left over. */
  finish(): void {
    for (const name of this.#values.keys()) {
      if (!this.#taken.has(name)) this.#note(`left over ${this.#key(name)}`)
    }
    const missing = [...this.#taken].find((name) => !this.has(name))
    if (this.#problems.length > 0) this.stop(undefined, missing)
  }

  /** Raises what was noted and this. */
  stop(problem?: string, missing?: string): never {
    if (problem !== undefined) this.#note(problem)
    const hint = this.#hint(missing)
    fail('ERR_RNN_STATE_DICT', `the state dict does not fit: ${some(this.#problems, mostProblems, '; ')}${hint}`)
  }

  #key(name: string): string {
    return named(mapGet(this.#values, name)?.key ?? this.#prefix + name)
  }

  /** What stands in place of a weight, or where a missing one stands under another prefix. */
  #hint(missing: string | undefined): string {
    const replaced = reparametrized(this.#keys.length > 0 ? this.#keys : this.#allKeys)
    if (replaced !== '' || missing === undefined) return replaced
    if (this.#allKeys.length === 0) return ' (the dict is empty)'
    const ends = [missing, missing.replace(/_l0$/, '')]
    const prefixes = new Set<string>()
    for (const key of this.#allKeys) {
      const end = ends.find((name) => key.endsWith(`.${name}`))
      if (end !== undefined) prefixes.add(key.slice(0, -end.length))
    }
    prefixes.delete(this.#prefix)
    const near = [...prefixes].slice(0, 5).map((prefix) => `prefix: '${named(prefix)}'`)
    return near.length === 0 ? '' : ` (did you mean ${near.join(' or ')}?)`
  }
}

/** What `await` was forgotten before, and what Python's dicts became, are objects without a key: say so. */
export function checkDict(dict: unknown): asserts dict is object {
  const hint = hintOf(dict)
  if (hint === undefined) return
  fail('ERR_RNN_STATE_DICT', `a state dict must be an object of tensors by name, got ${describe(dict)}${hint}`)
}

/** What to do about what is no dict; undefined for one that may be. */
function hintOf(dict: unknown): string | undefined {
  if (typeof dict === 'string') return '; loadSafetensors(path) reads one'
  if (!isObject(dict) || Array.isArray(dict)) return ''
  if (dict instanceof Promise) return unawaited(dict)
  if (dict instanceof Map) return '; Object.fromEntries(map) makes one'
  if (ArrayBuffer.isView(dict) || dict instanceof ArrayBuffer) return '; readSafetensors(bytes) makes one'
  return typeof property(dict, 'stateDict') === 'function' ? '; its stateDict() is one' : undefined
}

/** All weights of a network out of a dict; the arrays are fresh. Throws `ERR_RNN_STATE_DICT` with every problem. */
export function readWeights(reader: StateDictReader, spec: NetworkSpec): CellWeights[] {
  const typeOf = (entry: WeightEntry) => (isMatrix(entry) ? spec.weights : 'f32')
  eachWeight(spec, (entry) => reader.expect(entry.key, entry.shape, typeOf(entry)))
  reader.check()
  const weights = collectWeights(spec, (entry, target) => {
    reader.take(entry.key, entry.shape, target, typeOf(entry), entry.offset)
  })
  reader.finish()
  return weights
}

/** What a dict's keys and shapes tell about a network. */
export type InferredSpec = Pick<
  NetworkSpec,
  'inputSize' | 'hiddenSize' | 'projSize' | 'numLayers' | 'bias' | 'direction'
> & {
  readonly peepholes: boolean
}

/** Reads the sizes of a network with this cell off a dict. Throws `ERR_RNN_STATE_DICT` where they do not add up. */
export function inferSpec(reader: StateDictReader, cell: CellName): InferredSpec {
  const { gates, className } = cellTraits[cell]
  const ih = reader.matrix('weight_ih_l0')
  const hh = reader.matrix('weight_hh_l0')
  const kinds = new Set<string>()
  let numLayers = 1
  for (const name of reader.names()) {
    const match = layerKey.exec(name)
    if (!match) continue
    kinds.add(match[1] === 'bias' ? 'bias' : match[2])
    if (match[4]) kinds.add('reverse')
    numLayers = Math.max(numLayers, Number(match[3]) + 1)
  }
  const hiddenSize = ih[0] / gates
  const projects = className === 'LSTM' && kinds.has('hr')
  const likely = classOf(ih, hh)
  const wrongClass = likely !== undefined && likely !== className && !projects
  if (!Number.isInteger(hiddenSize) || wrongClass) {
    const like = wrongClass ? `: they look like the weights of ${withArticle(likely)}` : ''
    const shapes = `weight_ih_l0 of shape ${list(ih)} and weight_hh_l0 of shape ${list(hh)}`
    reader.stop(
      `${shapes} are not those of ${withArticle(className)}, which stacks ${gates} gate${gates > 1 ? 's' : ''} of H rows${like}`,
    )
  }
  reader.sizes({ input_size: ih[1], hidden_size: hiddenSize })
  if (numLayers > mostLayers)
    reader.stop(`at most ${mostLayers} layers are possible, but the keys reach to _l${numLayers - 1}`)
  if (projects && (hh[1] < 1 || hh[1] >= hiddenSize)) {
    reader.stop(
      `the projection size in weight_hh_l0 must be from 1 to below the hidden size ${hiddenSize}, got ${hh[1]}`,
    )
  }
  return {
    inputSize: ih[1],
    hiddenSize,
    projSize: projects ? hh[1] : 0,
    numLayers,
    bias: kinds.has('bias'),
    direction: kinds.has('reverse') ? 'bidirectional' : 'forward',
    peepholes: kinds.has('ci') || kinds.has('cf') || kinds.has('co'),
  }
}

/** The class whose number of gates matrices of these shapes would have. */
function classOf(ih: readonly number[], hh: readonly number[]): ClassName | undefined {
  const cell = cellNames.find((name) => ih[0] === hh[0] && cellTraits[name].gates === hh[0] / hh[1])
  return cell && cellTraits[cell].className
}
