/** Reads the PyTorch fixtures and makes their weights and inputs; knows the generator that test/fixtures/pytorch.py fills them with. */

import { readFileSync } from 'node:fs'
import { GRU, LSTM, RNN, readSafetensors, Tensor } from 'native-rnn'

export interface LayerCase {
  name: string
  layer: 'RNN' | 'GRU' | 'LSTM'
  cell?: boolean
  inputSize: number
  hiddenSize: number
  options: Record<string, unknown>
  parameters: Record<string, number[]>
  seed: number
  stored: boolean
  inputShape: number[]
  inputScale: number
  h0Shape?: number[]
  c0Shape?: number[]
  lengths?: number[]
}

export interface LinearCase {
  name: string
  inFeatures: number
  outFeatures: number
  bias: boolean
  parameters: Record<string, number[]>
  seed: number
  inputShape: number[]
}

export interface EmbeddingCase {
  name: string
  numEmbeddings: number
  embeddingDim: number
  parameters: Record<string, number[]>
  seed: number
  ids: number[]
}

interface Fixtures {
  torch: string
  layers: LayerCase[]
  linear: LinearCase[]
  embedding: EmbeddingCase[]
}

const at = (file: string) => readFileSync(new URL(`../fixtures/${file}`, import.meta.url))

export const fixtures: Fixtures = JSON.parse(at('pytorch.json').toString())
export const recorded: Record<string, Tensor> = readSafetensors(at('pytorch.safetensors'))
export const layerClasses = { RNN, GRU, LSTM }

/** A source of float32 numbers in [-scale, scale): the twin of `Filler` in pytorch.py. */
export function filler(seed: number): (shape: readonly number[], scale: number) => Tensor {
  let state = seed
  return (shape, scale) => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1))
    for (let i = 0; i < data.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      data[i] = ((state >>> 8) / 2 ** 23 - 1) * scale
    }
    return new Tensor(data, shape)
  }
}

/** The state dict of a case, and what goes into its forward pass. */
export function material(test: LayerCase) {
  const fill = filler(test.seed)
  const scale = 1 / Math.sqrt(test.hiddenSize)
  const made = Object.entries(test.parameters).map(([key, shape]) => [key, fill(shape, scale)] as const)
  const madeInput = fill(test.inputShape, test.inputScale)
  const h0 = test.h0Shape && fill(test.h0Shape, 1)
  const c0 = test.c0Shape && fill(test.c0Shape, 1)
  const weights = made.map(
    ([key, value]) => [key, test.stored ? recorded[`${test.name}.weights.${key}`] : value] as const,
  )
  return {
    stateDict: Object.fromEntries(weights),
    input: test.stored ? recorded[`${test.name}.input`] : madeInput,
    call: { ...(h0 && { h0 }), ...(c0 && { c0 }), ...(test.lengths && { lengths: test.lengths }) },
  }
}

/** The largest of |actual − expected| / (1 + |expected|): 1e-6 here means 1e-6 + 1e-6·|value|. */
export function worstDifference(actual: Tensor, expected: Tensor): number {
  let worst = 0
  for (let i = 0; i < expected.data.length; i++) {
    const difference = Math.abs(actual.data[i] - expected.data[i]) / (1 + Math.abs(expected.data[i]))
    if (!(difference <= worst)) worst = difference
  }
  return worst
}
