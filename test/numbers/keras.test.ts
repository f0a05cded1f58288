/** The conversion that docs/from-keras.md prints, held against real Keras and against the formulas of its documentation. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type BackendName, GRU, LSTM, RNN, type StateDict, type Tensor } from 'native-rnn'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordedOfKeras } from '../docs/files.ts'
import { blocksOf, root } from '../docs/pages.ts'
import { backends } from '../support/backends.ts'

type Type = 'SimpleRNN' | 'GRU' | 'LSTM'
type FromKeras = (type: Type, weights: (Tensor | undefined)[], suffix?: string) => StateDict

const keras = recordedOfKeras()
// In the checkout, so that the page's program finds the package by its name.
let work: string
afterAll(() => rmSync(work, { recursive: true }))
let fromKeras: FromKeras
beforeAll(async () => {
  work = mkdtempSync(join(root, 'build-keras-'))
  const block = blocksOf('docs/from-keras.md').find(({ name }) => name === 'keras.js')
  writeFileSync(join(work, 'keras.js'), block!.code)
  ;({ fromKeras } = await import(pathToFileURL(join(work, 'keras.js')).href))
})

const weightsOf = (name: string, first = 0) => [0, 1, 2].map((at) => keras[`${name}.${first + at}`])

const classes = { SimpleRNN: RNN, GRU, LSTM }
const layerOf = (type: Type, dict: StateDict, backend: BackendName, options = {}) =>
  classes[type].fromStateDict(dict, { batchFirst: true, backend, ...options }) as LSTM

function expectClose(came: Float32Array, wanted: Float32Array): void {
  expect(came).toHaveLength(wanted.length)
  const differences = came.map((value, i) => Math.abs(value - wanted[i]))
  expect(Math.max(...differences)).toBeLessThan(1e-6)
}

describe.each(backends)('on %s', (backend) => {
  it.each([
    ['rnn', 'SimpleRNN', {}],
    ['rnn-relu', 'SimpleRNN', { nonlinearity: 'relu' }],
    ['lstm', 'LSTM', {}],
    ['lstm-no-bias', 'LSTM', {}],
    ['gru', 'GRU', {}],
    ['gru-before', 'GRU', { resetAfter: false }],
  ] as const)("has Keras's output and states: %s", (name, type, options) => {
    const layer = layerOf(type, fromKeras(type, weightsOf(name)), backend, options)
    const { output, hn, cn } = layer.forward(keras[`${name}.x`])
    expectClose(output.data, keras[`${name}.y`].data)
    expectClose(hn.data, keras[`${name}.state0`].data)
    if (type === 'LSTM') expectClose(cn.data, keras[`${name}.state1`].data)
  })

  it.each([
    ['lstm-bidirectional', 'LSTM', 2],
    ['gru-bidirectional', 'GRU', 1],
  ] as const)("has Keras's output and states in two directions: %s", (name, type, states) => {
    const backward = fromKeras(type, weightsOf(name, 3), '_l0_reverse')
    const layer = layerOf(type, { ...fromKeras(type, weightsOf(name)), ...backward }, backend)
    const { output, hn, cn } = layer.forward(keras[`${name}.x`])
    expectClose(output.data, keras[`${name}.y`].data)
    const state = (of: number) =>
      Float32Array.from([0, states].flatMap((at) => [...keras[`${name}.state${at + of}`].data]))
    expectClose(hn.data, state(0))
    if (type === 'LSTM') expectClose(cn.data, state(1))
  })

  it('has a mask at the end as lengths: the same states, and zeros where Keras repeats the last output', () => {
    const { 'lstm-masked.x': x, 'lstm-masked.y': y, 'lstm-masked.lengths': lengths } = keras
    const layer = layerOf('LSTM', fromKeras('LSTM', weightsOf('lstm-masked')), backend)
    const { output, hn, cn } = layer.forward(x, { lengths: [...lengths.data] })
    expectClose(hn.data, keras['lstm-masked.state0'].data)
    expectClose(cn.data, keras['lstm-masked.state1'].data)
    const [B, T, H] = y.shape
    for (let b = 0; b < B; b++) {
      for (let t = 0; t < T; t++) {
        const at = (b * T + t) * H
        const last = (b * T + lengths.data[b] - 1) * H
        const past = t >= lengths.data[b]
        expectClose(output.data.subarray(at, at + H), past ? new Float32Array(H) : y.data.subarray(at, at + H))
        if (past) expect(y.data.subarray(at, at + H)).toEqual(y.data.subarray(last, last + H))
      }
    }
  })
})

/** One step of one row by the formulas that Keras documents, on its own arrays: what the table of the page says. */
type Step = (x: readonly number[], h: number[], c: number[], weights: Tensor[]) => { h: number[]; c: number[] }

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value))
/** vector · matrix + row of the bias, cut into gates of H. */
function gates(vector: readonly number[], matrix: Tensor, bias: Float32Array | undefined, H: number): number[][] {
  const columns = matrix.shape[1]
  const sums = Array.from({ length: columns }, (_, j) =>
    vector.reduce((sum, value, k) => sum + value * matrix.data[k * columns + j], bias?.[j] ?? 0),
  )
  return Array.from({ length: columns / H }, (_, gate) => sums.slice(gate * H, (gate + 1) * H))
}

const lstm: Step = (x, h, c, [kernel, recurrent, bias]) => {
  const H = h.length
  const ofInput = gates(x, kernel, bias.data, H)
  const ofState = gates(h, recurrent, undefined, H)
  const [i, f, g, o] = ofInput.map((gate, at) => gate.map((value, unit) => value + ofState[at][unit]))
  const next = c.map((value, unit) => sigmoid(f[unit]) * value + sigmoid(i[unit]) * Math.tanh(g[unit]))
  return { h: next.map((value, unit) => sigmoid(o[unit]) * Math.tanh(value)), c: next }
}

const gru =
  (resetAfter: boolean): Step =>
  (x, h, c, [kernel, recurrent, bias]) => {
    const H = h.length
    const [xz, xr, xh] = gates(x, kernel, bias.data.subarray(0, 3 * H), H)
    const stateBias = resetAfter ? bias.data.subarray(3 * H) : undefined
    const [hz, hr, hh] = gates(h, recurrent, stateBias, H)
    const z = xz.map((value, unit) => sigmoid(value + hz[unit]))
    const r = xr.map((value, unit) => sigmoid(value + hr[unit]))
    const reset = h.map((value, unit) => r[unit] * value)
    const product = resetAfter ? hh.map((value, unit) => r[unit] * value) : gates(reset, recurrent, undefined, H)[2]
    const candidate = xh.map((value, unit) => Math.tanh(value + product[unit]))
    return { h: h.map((value, unit) => z[unit] * value + (1 - z[unit]) * candidate[unit]), c }
  }

describe("the formulas behind the page's table give what Keras gives", () => {
  it.each([
    ['lstm', lstm],
    ['gru', gru(true)],
    ['gru-before', gru(false)],
  ] as const)('%s', (name, step) => {
    const weights = weightsOf(name)
    const { [`${name}.x`]: x, [`${name}.y`]: y } = keras
    const [B, T, I] = x.shape
    const H = y.shape[2]
    for (let b = 0; b < B; b++) {
      let state = { h: new Array<number>(H).fill(0), c: new Array<number>(H).fill(0) }
      for (let t = 0; t < T; t++) {
        const frame = [...x.data.subarray((b * T + t) * I, (b * T + t + 1) * I)]
        state = step(frame, state.h, state.c, weights)
        expectClose(Float32Array.from(state.h), y.data.subarray((b * T + t) * H, (b * T + t + 1) * H))
      }
    }
  })
})
