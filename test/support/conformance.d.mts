/** The types of conformance.mjs, for the tests. */

import type { BackendName, GRU, LSTM, RNN } from 'native-rnn'

interface Values {
  dims: number[]
  data: number[]
}

export interface SuiteCase {
  name: string
  opType: 'RNN' | 'GRU' | 'LSTM'
  attributes: Record<string, unknown>
  inputs: Record<string, Values>
  outputs: Record<string, Values>
  /** The suite's own file, its weights among its inputs, in base64. */
  model: string
  /** The same with the weights in the file. */
  modelWithWeights: string
}

export const cases: readonly SuiteCase[]
export function layerOf(testCase: SuiteCase, backend: BackendName): RNN | GRU | LSTM
export function outputsOf(testCase: SuiteCase, layer: RNN | GRU | LSTM): Record<string, ArrayLike<number>>
export function worstDifference(testCase: SuiteCase, got: Record<string, ArrayLike<number>>): number
export function cell(testCase: SuiteCase, backend: BackendName): string
