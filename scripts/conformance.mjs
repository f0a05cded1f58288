// `npm run conformance`: prints, for each case of the ONNX backend suite, how far every backend is from what the suite
// expects, and onnxruntime's own result beside. Knows how a case of the suite becomes a call of a layer.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { availableBackends, fromOnnxNode } from 'native-rnn'

/** The recorded cases of RNN, GRU and LSTM, in the suite's order. */
export const cases = JSON.parse(readFileSync(new URL('../test/fixtures/onnx/suite.json', import.meta.url), 'utf8'))

const float32 = ({ data, dims }) => ({ data: Float32Array.from(data), dims })

/** The layer of a case on one backend. */
export function layerOf({ opType, attributes, inputs }, backend) {
  const weights = ['W', 'R', 'B', 'P'].filter((name) => inputs[name]).map((name) => [name, float32(inputs[name])])
  return fromOnnxNode({ opType, attributes, ...Object.fromEntries(weights) }, { backend })
}

/** Runs a case's inputs through a layer; the results have ONNX's names, and their values ONNX's order. */
export function outputsOf({ attributes, inputs }, layer) {
  const batchwise = attributes.layout === 1
  const state = (name) => inputs[name] && float32(batchwise ? swapped(inputs[name]) : inputs[name])
  const { output, hn, cn } = layer.forward(float32(inputs.X), {
    h0: state('initial_h'),
    ...(inputs.initial_c && { c0: state('initial_c') }),
    lengths: inputs.sequence_lens?.data,
  })
  // ONNX has the directions before the units in the batchwise layout, and before the batch in the other.
  const [T, B, DH] = output.shape
  const D = hn.shape[0]
  const onnxState = ({ data, shape }) => (batchwise ? swapped({ data, dims: shape }).data : data)
  return {
    Y: batchwise ? output.data : stepsOf(output.data, T, B, D, DH / D),
    Y_h: onnxState(hn),
    ...(cn && { Y_c: onnxState(cn) }),
  }
}

/** (A, B, C) → (B, A, C) */
function swapped({ data, dims: [A, B, C] }) {
  const values = new Float32Array(A * B * C)
  for (let a = 0; a < A; a++) {
    for (let b = 0; b < B; b++) {
      for (let c = 0; c < C; c++) values[(b * A + a) * C + c] = data[(a * B + b) * C + c]
    }
  }
  return { data: values, dims: [B, A, C] }
}

/** (T, B, D·H) → (T, D, B, H) */
function stepsOf(data, T, B, D, H) {
  const steps = Array.from({ length: T }, (_, t) => data.subarray(t * B * D * H, (t + 1) * B * D * H))
  return Float32Array.from(steps.flatMap((step) => [...swapped({ data: step, dims: [B, D, H] }).data]))
}

/** The largest absolute difference between what a case expects and what came, over all outputs it names. */
export function worstDifference({ outputs }, got) {
  let worst = 0
  for (const [name, { data }] of Object.entries(outputs)) {
    if (got[name]?.length !== data.length) return Number.NaN
    for (const [i, value] of data.entries()) {
      const difference = Math.abs(value - got[name][i])
      if (!(difference <= worst)) worst = difference
    }
  }
  return worst
}

/** What the table says of one backend on one case. */
export function cell(testCase, backend) {
  return shown(worstDifference(testCase, outputsOf(testCase, layerOf(testCase, backend))))
}

function shown(difference) {
  return difference === 0 ? '0' : difference.toExponential(1)
}

async function onnxruntimeColumn() {
  let ort
  try {
    ort = createRequire(new URL('../bench/package.json', import.meta.url))('onnxruntime-node')
  } catch {
    return { title: 'onnxruntime-node', cells: cases.map(() => 'not installed (`npm run bench:rivals`)') }
  }
  ort.env.logLevel = 'fatal'
  const { version } = createRequire(new URL('../bench/package.json', import.meta.url))('onnxruntime-node/package.json')
  const cells = []
  for (const testCase of cases) cells.push(await onnxruntimeCell(ort, testCase))
  return { title: `onnxruntime-node ${version}`, cells }
}

async function onnxruntimeCell(ort, testCase) {
  const feeds = Object.entries(testCase.inputs).map(([name, { data, dims }]) => {
    const integers = name === 'sequence_lens'
    const values = integers ? Int32Array.from(data) : Float32Array.from(data)
    return [name, new ort.Tensor(integers ? 'int32' : 'float32', values, dims)]
  })
  try {
    const session = await ort.InferenceSession.create(Buffer.from(testCase.model, 'base64'), { logSeverityLevel: 4 })
    const results = Object.entries(await session.run(Object.fromEntries(feeds)))
    return shown(worstDifference(testCase, Object.fromEntries(results.map(([name, { data }]) => [name, data]))))
  } catch (error) {
    return /layout_ == 0 was false/.test(error.message)
      ? 'refuses `layout = 1`'
      : `fails: ${error.message.split('\n')[0]}`
  }
}

async function main() {
  const columns = availableBackends().map((backend) => ({
    title: `native-rnn, ${backend}`,
    cells: cases.map((testCase) => cell(testCase, backend)),
  }))
  columns.push(await onnxruntimeColumn())
  const line = (first, cells) => `| ${first} | ${cells.join(' | ')} |`
  console.log(
    line(
      'case of the ONNX backend suite',
      columns.map(({ title }) => title),
    ),
  )
  console.log(
    line(
      '---',
      columns.map(() => '---'),
    ),
  )
  for (const [i, { name }] of cases.entries()) {
    console.log(
      line(
        `\`${name}\``,
        columns.map(({ cells }) => cells[i]),
      ),
    )
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
