/** How a layer comes to be: of sizes and options, of a state dict, or of a handle from another thread. */

import { chooseBackend } from '../backends/index.ts'
import type { CellName, NetworkSpec } from '../backends/interface.ts'
import { LoadedNetwork } from '../calls/network-ref.ts'
import { openShared } from '../calls/shared-layer.ts'
import { fail } from '../errors.ts'
import {
  type Check,
  type Checked,
  type layerChecks,
  prefixChecks,
  readOptions,
  refuseInferred,
  size,
} from '../options/options.ts'
import { drawWeights, gatesOf } from '../weights/names.ts'
import { Uniform } from '../weights/random.ts'
import { inferSpec, readWeights, StateDictReader } from '../weights/state-dict.ts'

type LayerChecks = typeof layerChecks & Readonly<Record<string, Check<unknown>>>

/** What one class adds to the base class. */
export interface Kind {
  readonly name: 'RNN' | 'GRU' | 'LSTM'
  /** The checks of all options of its constructor. */
  readonly checks: LayerChecks
  /** The cell that the options ask for. */
  cell(options: Record<string, unknown>): CellName
}

/** A layer that is made of a finished network, in place of sizes and options. Internal: no public type lets it into a constructor. */
export class LayerParts {
  readonly loaded: LoadedNetwork
  readonly batchFirst: boolean

  constructor(loaded: LoadedNetwork, batchFirst: boolean) {
    this.loaded = loaded
    this.batchFirst = batchFirst
  }
}

/** Makes a layer of parts: `makeLayer(RNN, parts)`. Internal. */
export function makeLayer<L>(layerClass: new (...sizes: never) => L, parts: LayerParts): L {
  return new (layerClass as unknown as new (parts: LayerParts) => L)(parts)
}

/** Opens a handle of `share()`; behind the static `fromShared` of each class. */
export function partsFromShared(kind: Kind, handle: unknown): LayerParts {
  const { loaded, batchFirst } = openShared(kind.name, handle)
  return new LayerParts(loaded, batchFirst)
}

/** Of sizes and options, with initial weights; behind the constructor of each class. */
export function makeParts(kind: Kind, inputSize: number, hiddenSize: number, given: unknown): LayerParts {
  const I = size(inputSize, 'inputSize')
  const H = size(hiddenSize, 'hiddenSize')
  const options = readOptions(given, kind.checks, kind.name)
  const { numLayers = 1, bias = true, batchFirst = false, threads = 1 } = options
  const direction = options.bidirectional ? 'bidirectional' : 'forward'
  const projSize = readProjSize(options, H)
  const spec = {
    cell: kind.cell(options),
    inputSize: I,
    hiddenSize: H,
    projSize,
    numLayers,
    bias,
    direction,
    threads,
  } as const
  const backend = chooseBackend(options.backend)
  const weights = drawWeights(spec, new Uniform(options.seed, backend.fill))
  return new LayerParts(LoadedNetwork.of(spec, backend, weights), batchFirst)
}

function readProjSize(options: Checked<LayerChecks>, hiddenSize: number): number {
  const { projSize = 0 } = options as { projSize?: number }
  if (projSize < hiddenSize) return projSize
  return fail('ERR_RNN_OPTION', `projSize must be smaller than hiddenSize ${hiddenSize}, got ${projSize}`)
}

/** Reads a layer's sizes and weights off a state dict; behind the static `fromStateDict` of each class. */
export function partsFromStateDict(kind: Kind, dict: unknown, given: unknown): LayerParts {
  const where = `${kind.name}.fromStateDict`
  refuseInferred(given, where)
  const options = readOptions(given, { ...kind.checks, ...prefixChecks }, where)
  const reader = new StateDictReader(dict, options.prefix)
  const gates = gatesOf[kind.cell(options)]
  const { peepholes, ...inferred } = inferSpec(reader, gates)
  const cell = kind.cell({ ...options, peepholes })
  const spec: NetworkSpec = { ...inferred, cell, threads: options.threads ?? 1 }
  const weights = readWeights(reader, spec)
  return new LayerParts(LoadedNetwork.of(spec, chooseBackend(options.backend), weights), options.batchFirst ?? false)
}
