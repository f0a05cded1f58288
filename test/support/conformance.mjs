// `npm run conformance`: prints, for each case of the ONNX backend suite, how far every backend is from what the suite
// expects, and onnxruntime's own result beside; then how far every backend is from onnxruntime on nodes with all inputs, and on
// nodes with every activation.
// `npm run conformance -- --write` puts the tables into docs/conformance.md and README.md, and `npm run conformance -- --graphs 10000` runs
// random graphs beside onnxruntime instead. Knows how a case becomes a call of
// a layer.

import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { availableBackends, fromOnnxNode } from 'native-rnn'
import { printOperators } from './conformance-operators.mjs'
import { activationNode, kinds, rows } from './onnx-activations.mjs'
import { compareGraphs } from './random/compare.mjs'
import { findOnnxruntime } from './random/run.mjs'

const recorded = (file) => JSON.parse(readFileSync(new URL(`../fixtures/onnx/${file}`, import.meta.url), 'utf8'))

/**
 * @typedef {{ dims: number[], data: number[] }} Values
 *
 * @typedef {object} SuiteCase
 * @property {string} name
 * @property {'RNN' | 'GRU' | 'LSTM'} opType
 * @property {Record<string, unknown>} attributes
 * @property {Record<string, Values>} inputs
 * @property {Record<string, Values>} outputs
 * @property {string} model the suite's own file, its weights among its inputs, in base64
 * @property {string} modelWithWeights the same with the weights in the file
 *
 * @typedef {import('native-rnn').RNN | import('native-rnn').GRU | import('native-rnn').LSTM} Layer
 * @typedef {import('native-rnn').BackendName} BackendName
 * @typedef {Record<string, ArrayLike<number>>} Outputs
 */

/**
 * The recorded cases of RNN, GRU and LSTM, in the suite's order.
 * @type {readonly SuiteCase[]}
 */
export const cases = recorded('suite.json')

const float32 = ({ data, dims }) => ({ data: Float32Array.from(data), dims })

/**
 * The layer of a case on one backend.
 * @param {SuiteCase} testCase
 * @param {BackendName} backend
 * @returns {Layer}
 */
export function layerOf({ opType, attributes, inputs }, backend) {
  const weights = ['W', 'R', 'B', 'P'].filter((name) => inputs[name]).map((name) => [name, float32(inputs[name])])
  return fromOnnxNode({ opType, attributes, ...Object.fromEntries(weights) }, { backend })
}

/**
 * Runs a case's inputs through a layer; the results have ONNX's names, and their values ONNX's order.
 * @param {SuiteCase} testCase
 * @param {Layer} layer
 * @returns {Outputs}
 */
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

/**
 * The largest absolute difference between what a case expects and what came, over all outputs it names.
 * @param {SuiteCase} testCase
 * @param {Outputs} got
 */
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

/**
 * What the table says of one backend on one case.
 * @param {SuiteCase} testCase
 * @param {BackendName} backend
 */
export function cell(testCase, backend) {
  return shown(worstDifference(testCase, outputsOf(testCase, layerOf(testCase, backend))))
}

function shown(difference) {
  return difference === 0 ? '0' : difference.toExponential(1)
}

/** What onnxruntime makes of a case's own file and inputs: values by the name of the output. */
async function onnxruntimeOutputs(ort, { inputs, model }) {
  const feeds = Object.entries(inputs).map(([name, { data, dims }]) => {
    const integers = name === 'sequence_lens'
    const values = integers ? Int32Array.from(data) : Float32Array.from(data)
    return [name, new ort.Tensor(integers ? 'int32' : 'float32', values, dims)]
  })
  const session = await ort.InferenceSession.create(Buffer.from(model, 'base64'), { logSeverityLevel: 4 })
  const results = await session.run(Object.fromEntries(feeds))
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]))
}

async function onnxruntimeCell(ort, testCase) {
  try {
    return shown(worstDifference(testCase, await onnxruntimeOutputs(ort, testCase)))
  } catch (error) {
    return /layout_ == 0 was false/.test(error.message)
      ? 'refuses `layout = 1`'
      : `fails: ${error.message.split('\n')[0]}`
  }
}

/** Prints a Markdown table whose columns stand below each other; `--write` puts it in place of that of the pages, too. */
function printTable(corner, names, columns, pages) {
  const lists = [[corner, ...names], ...columns.map(({ title, cells }) => [title, ...cells])].map(
    ([title, ...cells]) => {
      const width = Math.max(...[title, ...cells].map(({ length }) => length))
      return [title.padEnd(width), '-'.repeat(width), ...cells.map((text) => text.padEnd(width))]
    },
  )
  const table = Array.from(lists[0].keys(), (i) => `| ${lists.map((list) => list[i]).join(' | ')} |`).join('\n')
  console.log(table)
  if (!process.argv.includes('--write')) return
  for (const page of pages) {
    const file = new URL(`../../${page}`, import.meta.url)
    const text = readFileSync(file, 'utf8')
    const old = text.split('\n\n').find((part) => part.startsWith(`| ${corner} `))
    writeFileSync(
      file,
      text.replace(old, () => table),
    )
  }
}

async function main() {
  const graphs = process.argv.indexOf('--graphs')
  if (graphs >= 0) return compareGraphs(Number(process.argv[graphs + 1]), process.argv[graphs + 2])
  printOperators(process.argv.includes('--write'))
  const found = findOnnxruntime()
  // avx512 and wasm have the bits of avx2 and portable.
  const backends = availableBackends().filter((name) => !['avx512', 'wasm'].includes(name))
  const title = (backend) => `native-rnn, ${backend}`
  const columns = backends.map((backend) => ({ title: title(backend), cells: cases.map((one) => cell(one, backend)) }))
  const beside = []
  for (const one of cases)
    beside.push(found ? await onnxruntimeCell(found.ort, one) : 'not installed (`npm run bench:rivals`)')
  columns.push({ title: found?.title ?? 'onnxruntime-node', cells: beside })
  printTable(
    'case of the ONNX backend suite',
    cases.map(({ name }) => `\`${name}\``),
    columns,
    ['docs/conformance.md', 'README.md'],
  )
  if (!found) return

  const nodes = recorded('nodes.json')
  for (const node of nodes) {
    const outputs = Object.entries(await onnxruntimeOutputs(found.ort, node))
    node.outputs = Object.fromEntries(outputs.map(([name, data]) => [name, { data }]))
  }
  console.log('')
  const differences = backends.map((backend) => ({
    title: title(backend),
    cells: nodes.map((node) => cell(node, backend)),
  }))
  printTable(
    `difference from ${found.title}`,
    nodes.map(({ name }) => name),
    differences,
    ['docs/conformance.md'],
  )

  console.log('')
  const activations = []
  for (const kind of kinds) {
    const cells = []
    for (const row of rows) cells.push(await activationCell(found.ort, activationNode(row, kind), backends))
    activations.push({ title: kind.title, cells })
  }
  printTable(
    'in all places of a cell',
    rows.map(({ title }) => title),
    activations,
    ['docs/conformance.md'],
  )
}

/** The largest difference of all backends from onnxruntime. */
async function activationCell(ort, node, backends) {
  if (node === undefined) return ''
  const outputs = Object.entries(await onnxruntimeOutputs(ort, node))
  node.outputs = Object.fromEntries(outputs.map(([name, data]) => [name, { data }]))
  const worst = backends.map((backend) => worstDifference(node, outputsOf(node, layerOf(node, backend))))
  return shown(Math.max(...worst))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
