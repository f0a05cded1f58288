/** How the parts of a recurrent layer come to be: of sizes and options, of a state dict, or of a handle from another thread. */

import { chooseBackend } from '../backends/index.ts'
import { NetworkRef } from '../calls/network-ref.ts'
import { openShared } from '../calls/shared-layer.ts'
import { describe, failOption } from '../errors.ts'
import { isObject } from '../intrinsics/properties.ts'
import {
  type Check,
  type Checked,
  type layerChecks,
  precisionOf,
  prefixChecks,
  readOptions,
  refuseInferred,
  size,
} from '../options/checks.ts'
import { cellOfOptions } from '../options/functions.ts'
import { type CellName, directionsOf, type NetworkSpec } from '../spec/spec.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { drawWeights } from '../weights/initial.ts'
import { toStateDict } from '../weights/names.ts'
import { Uniform } from '../weights/random.ts'
import { inferSpec, readWeights, StateDictReader } from '../weights/state-dict.ts'
import { Parts } from './module.ts'

type LayerChecks = typeof layerChecks & Readonly<Record<string, Check<unknown>>>

/** What one class adds to the base class. */
export interface LayerClass {
  readonly name: 'RNN' | 'GRU' | 'LSTM'
  /** The checks of all options of its constructor. */
  readonly checks: LayerChecks
  /** The cell that the options ask for, without a look at its functions. */
  cell(options: Record<string, unknown>): CellName
}

/** The parts of a recurrent layer: its network, counted with the streams that keep it. */
export class LayerParts extends Parts<LayerParts> {
  readonly ref: NetworkRef
  readonly batchFirst: boolean

  constructor(ref: NetworkRef, batchFirst: boolean) {
    super()
    this.ref = ref
    this.batchFirst = batchFirst
  }

  override stateDict(): Record<string, Tensor> {
    return toStateDict(this.ref.spec, this.ref.network.weights())
  }

  override reload(reader: StateDictReader): LayerParts {
    const { spec, backend } = this.ref
    return new LayerParts(NetworkRef.of(spec, backend, readWeights(reader, spec)), this.batchFirst)
  }

  override get weightBytes(): number {
    return this.ref.network.weightBytes
  }

  override dispose(): void {
    this.ref.release()
  }
}

/** Opens a handle of `share()`; behind the static `fromShared` of each class. */
export function partsFromShared(layerClass: LayerClass, handle: unknown): LayerParts {
  const { ref, batchFirst } = openShared(layerClass.name, handle)
  return new LayerParts(ref, batchFirst)
}

/** Of sizes and options, with initial weights; behind the constructor of each class. */
export function partsFromSizes(
  layerClass: LayerClass,
  inputSize: number,
  hiddenSize: number,
  given: unknown,
): LayerParts {
  if (isObject(inputSize)) {
    const order = `sizes come first: new ${layerClass.name}(inputSize, hiddenSize, options)`
    failOption(`inputSize must be an integer, got ${describe(inputSize)}; ${order}`)
  }
  const I = size(inputSize, 'inputSize')
  const H = size(hiddenSize, 'hiddenSize')
  const options = readOptions(given, layerClass.checks, layerClass.name)
  const { numLayers = 1, bias = true, batchFirst = false, threads = 1 } = options
  const direction = options.bidirectional ? 'bidirectional' : 'forward'
  const projSize = readProjSize(options, H)
  const spec = {
    ...cellOfOptions(layerClass.cell(options), layerClass.name, options.bidirectional ? 2 : 1, options),
    inputSize: I,
    hiddenSize: H,
    projSize,
    numLayers,
    bias,
    direction,
    threads,
    ...precisionOf(options),
  } as const
  const backend = chooseBackend(options.backend)
  const weights = drawWeights(spec, new Uniform(options.seed, backend.fill))
  return new LayerParts(NetworkRef.of(spec, backend, weights), batchFirst)
}

function readProjSize(options: Checked<LayerChecks>, hiddenSize: number): number {
  const { projSize = 0 } = options as { projSize?: number }
  if (projSize < hiddenSize) return projSize
  return failOption(`projSize must be smaller than hiddenSize ${hiddenSize}, got ${projSize}`)
}

/** Reads a layer's sizes and weights off a state dict; behind the static `fromStateDict` of each class. */
export function partsFromStateDict(layerClass: LayerClass, dict: unknown, given: unknown): LayerParts {
  const where = `${layerClass.name}.fromStateDict`
  refuseInferred(given, where)
  const options = readOptions(given, { ...layerClass.checks, ...prefixChecks }, where)
  const precision = precisionOf(options)
  const reader = new StateDictReader(dict, options.prefix)
  const { peepholes, ...inferred } = inferSpec(reader, layerClass.cell(options))
  const cell = layerClass.cell({ __proto__: null, ...options, peepholes })
  const D = directionsOf(inferred)
  const chosen = cellOfOptions(cell, layerClass.name, D, options)
  const spec: NetworkSpec = { ...inferred, ...chosen, ...precision, threads: options.threads ?? 1 }
  const weights = readWeights(reader, spec)
  return new LayerParts(NetworkRef.of(spec, chooseBackend(options.backend), weights), options.batchFirst ?? false)
}
