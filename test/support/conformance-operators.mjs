// The node cases of the ONNX backend suite for the operators around recurrent nodes: how a case is computed and compared, which are
// refused and why, and the table of docs/conformance.md.

import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { availableBackends, Model, RNNError } from 'native-rnn'
import { bytes, runGraph } from './run-graph.mjs'

/**
 * @typedef {{ type: string, dims: number[], data: string }} Recorded an array of NumPy, its bytes in base64
 *
 * @typedef {object} OperatorCase
 * @property {string} operator
 * @property {string} name
 * @property {string} model the suite's own file in base64
 * @property {(Recorded | null)[]} inputs null for what is no array, or too large to be recorded
 * @property {(Recorded | null)[]} outputs
 */

const recorded = (file) => readFileSync(new URL(`../fixtures/onnx/${file}`, import.meta.url))

/** What onnxruntime computes, where the suite has no cases. */
const beyond = JSON.parse(recorded('microsoft.json').toString())

/**
 * The recorded cases of the suite, by operator, and of onnxruntime.
 * @type {readonly OperatorCase[]}
 */
export const operatorCases = [
  ...JSON.parse(gunzipSync(recorded('operators.json.gz')).toString()),
  ...beyond.filter(({ operator }) => !operator.endsWith('LSTM')),
]

/**
 * Recurrent nodes of quantized weights, and what they are without rounding of states.
 * @type {readonly OperatorCase[]}
 */
export const quantizedCases = beyond.filter(({ operator }) => operator.endsWith('LSTM'))

/**
 * Why cases are refused, and what the error says: of `Model` after those of `readOnnx`, where a result that cannot be asked for depends on
 * what is refused.
 */
const refusals = [
  ['training is not supported', /training_mode is not supported/, /training/],
  ['three axes of space are not supported', /3 axes of space are not supported/, /_3d(_default)?$/],
  [
    'texts are not supported',
    /depends on "\w+", which nothing|to asks for a type that is not supported|put "\w+" has the data type 8/,
    /STRING/,
  ],
  [
    'sequences and optional values are not supported',
    /depends on|put "\w+" is no tensor/,
    /^test_(identity|if)_(seq|opt)/,
  ],
  ['transBatchA is not supported', /transBatchA and transBatchB are not supported/, /_batchA$/],
  ['Loop is not supported', /node 8 \(Loop\)/, /^test_range_.*_expanded$/],
]

/** The cases that are refused, by name, each with the reason for people and what the error must say. */
export const refused = new Map(
  [
    'test_averagepool_3d_default',
    'test_batchnorm_example_training_mode',
    'test_batchnorm_epsilon_training_mode',
    'test_cast_FLOAT_to_STRING',
    'test_cast_STRING_to_FLOAT',
    'test_castlike_FLOAT_to_STRING',
    'test_castlike_FLOAT_to_STRING_expanded',
    'test_castlike_STRING_to_FLOAT',
    'test_castlike_STRING_to_FLOAT_expanded',
    'test_convtranspose_3d',
    'test_training_dropout_default',
    'test_training_dropout_default_mask',
    'test_training_dropout',
    'test_training_dropout_mask',
    'test_training_dropout_zero_ratio',
    'test_training_dropout_zero_ratio_mask',
    'test_identity_sequence',
    'test_identity_opt',
    'test_if_seq',
    'test_if_opt',
    'test_maxpool_3d_default',
    'test_range_float_type_positive_delta_expanded',
    'test_range_int32_type_negative_delta_expanded',
    'fused_matmul_batchA',
  ].map((name) => {
    const [reason, error] = refusals.find(([, , names]) => names.test(name))
    return [name, { reason, error }]
  }),
)

/** Types that only constants and shapes have in native programs; the suite keeps bfloat16 in uint16. */
const foreign = ['float64', 'uint16', 'int16', 'uint32', 'uint64']

/** Whether a case has values of types that native programs do not have. */
const isForeign = ({ inputs, outputs }) => [...inputs, ...outputs].some((one) => foreign.includes(one?.type))

/**
 * What the error of a case must say that is refused; undefined for one that passes.
 *
 * @param {OperatorCase} operatorCase
 * @param {import('native-rnn').BackendName} [backend]
 * @returns {RegExp | undefined}
 */
export function refusalOf(operatorCase, backend) {
  const found = refused.get(operatorCase.name)
  if (found !== undefined) return found.error
  const isNative = backend !== undefined && backend !== 'typescript'
  return isNative && isForeign(operatorCase) ? /of type \w+ is not supported/ : undefined
}

/** The fields of a message of protobuf that hold bytes or integers. */
function* fieldsOf(message) {
  const varint = () => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = message[at++]
      value += (byte & 127) * shift
      if (byte < 128) return value
    }
  }
  let at = 0
  while (at < message.length) {
    const key = varint()
    const id = Math.floor(key / 8)
    if (key % 8 === 0) yield { id, number: varint() }
    else if (key % 8 === 5) at += 4
    else if (key % 8 === 1) at += 8
    else {
      const length = varint()
      yield { id, body: message.subarray(at, at + length) }
      at += length
    }
  }
}

const fieldOf = (message, wanted) => message && [...fieldsOf(message)].find(({ id }) => id === wanted)

/** The name, the type's number and the shape of a graph's input or output; no type for what is no tensor. */
function described(valueInfo) {
  const tensor = fieldOf(fieldOf(valueInfo, 2)?.body, 1)?.body
  const shape = [...fieldsOf(fieldOf(tensor ?? new Uint8Array(), 2)?.body ?? new Uint8Array())]
  return {
    name: new TextDecoder().decode(fieldOf(valueInfo, 1).body),
    type: fieldOf(tensor, 1)?.number,
    dims: shape.map(({ body }) => fieldOf(body, 1)?.number ?? 1),
  }
}

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
}

/** A binary16 number of its bits. */
function half(bits) {
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15)
  return (bits >> 15 ? -1 : 1) * (exponent === 31 ? (fraction === 0 ? Infinity : Number.NaN) : size)
}

const bytesOf = ({ data }) => new Uint8Array(Buffer.from(data, 'base64'))

/** The numbers of a type. The suite keeps bfloat16 as the bits, in integers. */
function numbersOf(recorded, type) {
  const { buffer } = bytesOf(recorded)
  if (type === 'float16') return Array.from(new Uint16Array(buffer), half)
  if (type === 'bfloat16') {
    return Array.from(new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits * 2 ** 16).buffer))
  }
  return Array.from(new arrays[type](buffer), Number)
}

const [float32, bfloat16] = [1, 16]

/** A case's results and their types; throws where it is refused. */
function resultsOf({ model, inputs, outputs }) {
  const top = [...fieldsOf(bytesOf({ data: model }))]
  const graph = [...fieldsOf(top.find(({ id }) => id === 7).body)]
  const all = (wanted) => graph.filter(({ id }) => id === wanted).map(({ body }) => described(body))
  const typeOf = (one, { type }) => (type === bfloat16 ? 'bfloat16' : (one?.type ?? 'float32'))
  // What was too large to be recorded is refused whatever its values are.
  const given = all(11).flatMap((info, i) => {
    const one = inputs[i]
    if (one) return [[info.name, { type: typeOf(one, info), dims: one.dims, bytes: bytesOf(one) }]]
    if (info.type !== float32) return []
    const length = info.dims.reduce((product, size) => product * size, 4)
    return [[info.name, { type: 'float32', dims: info.dims, bytes: new Uint8Array(length) }]]
  })
  const wanted = all(12).map((info, i) => ({ name: info.name, type: typeOf(outputs[i], info) }))
  const results = runGraph({
    fields: graph.filter(({ id }) => id === 1).map(({ id, body }) => bytes(id, body)),
    versions: top.filter(({ id }) => id === 8 || id === 25).map(({ id, body }) => bytes(id, body)),
    inputs: Object.fromEntries(given),
    outputs: wanted,
  })
  return results.map((result, i) => ({ ...result, type: wanted[i].type }))
}

/**
 * The relative and the absolute difference that a type may have: the suite allows 1e-3 and 1e-7. It cuts bfloat16 off, where ONNX's
 * definition rounds to the nearest: a step of it.
 */
const tolerances = { float16: [1e-3, 1e-7], bfloat16: [2 ** -7, 0], float32: [1e-5, 1e-7], float64: [1e-6, 1e-7] }

/** What is wrong with a result, in words; undefined where it is what the case expects. */
function difference(expected, got) {
  if (`${expected.dims}` !== `${got.dims}`) return `the shape (${got.dims}) for (${expected.dims})`
  const [relative, absolute] = tolerances[got.type] ?? [0, 0]
  const values = numbersOf(expected, got.type)
  if (values.length !== got.values.length) return `${got.values.length} values for ${values.length}`
  const at = values.findIndex((value, i) => {
    const far = Math.abs(value - got.values[i]) > absolute + relative * Math.abs(value)
    return (
      !Object.is(value + 0, got.values[i] + 0) && (far || !Number.isFinite(value) || !Number.isFinite(got.values[i]))
    )
  })
  return at < 0 ? undefined : `${got.values[at]} for ${values[at]} at ${at}`
}

/** What a case's own file makes of its inputs when it runs as a model. */
function modelResultsOf({ model, inputs, outputs }, backend) {
  const read = Model.read(bytesOf({ data: model }), { backend })
  // The suite declares the second input of some CastLike as large as the first: there only its type counts.
  const isDeclared = ({ shape }, one) => one && shape.every((size, axis) => size === one.dims[axis])
  const given = read.inputs.map((info, i) => {
    return [info.name, isDeclared(info, inputs[i]) ? inputOf(inputs[i], info.type) : zerosOf(info)]
  })
  const results = read.run(Object.fromEntries(given))
  const declared = read.outputs
  read.dispose()
  return declared.map(({ name, type }, i) => {
    const { data, shape } = results[name]
    // The suite has bfloat16 as the bits, in integers.
    const recorded = outputs[i]?.type === 'uint16' && type === 'bfloat16' ? 'bfloat16' : (outputs[i]?.type ?? type)
    return { dims: shape, values: Array.from(data, Number), type: recorded }
  })
}

function inputOf(recorded, type) {
  const isHalf = type === 'float16' || type === 'bfloat16'
  const data = isHalf
    ? Float32Array.from(numbersOf(recorded, type))
    : new arrays[recorded.type](bytesOf(recorded).buffer)
  return { data, shape: recorded.dims }
}

/** What was too large to be recorded is refused whatever its values are. */
function zerosOf({ shape }) {
  return { data: new Float32Array(shape.reduce((product, size) => product * size, 1)), shape }
}

/**
 * How a case comes out: `passed`, `refused: …` with the words of the error, or what is wrong.
 *
 * @param {OperatorCase} operatorCase
 * @param {import('native-rnn').BackendName} [backend] which runs the case's file as a model; without it `readOnnx` folds it
 */
export function outcomeOf(operatorCase, backend) {
  let results
  try {
    results = backend === undefined ? resultsOf(operatorCase) : modelResultsOf(operatorCase, backend)
  } catch (error) {
    if (!(error instanceof RNNError)) throw error
    return `refused: ${error.message}`
  }
  const wrong = operatorCase.outputs
    .map((expected, i) => (expected === null ? `result ${i} was not recorded` : difference(expected, results[i])))
    .filter(Boolean)
  return wrong.length === 0 ? 'passed' : wrong.join('; ')
}

/** The types that native programs do not have, for people. */
function typesOf({ name, inputs, outputs }) {
  const types = new Set([...inputs, ...outputs].map((one) => one?.type).filter((type) => foreign.includes(type)))
  return [...types].map((type) => (type === 'uint16' && /BFLOAT16/.test(name) ? 'bfloat16' : type)).join(', ')
}

/**
 * The rows of the table: an operator, its cases, how many pass as constants of `readOnnx` and as models on each kind of backend, and why
 * others are refused.
 *
 * @param {readonly import('native-rnn').BackendName[]} native the native backends, of which each must pass what is counted
 */
export function operatorRows(native) {
  const operators = [...new Set(operatorCases.map(({ operator }) => operator))].sort()
  return operators.map((operator) => {
    const own = operatorCases.filter((one) => one.operator === operator)
    const reasons = own.flatMap((one) => {
      const found = refused.get(one.name)
      if (found === undefined && !isForeign(one)) return []
      return [`\`${one.name}\`: ${found?.reason ?? `${typesOf(one)} not in native programs`}`]
    })
    const passed = (backends) => {
      return own.filter((one) => backends.every((backend) => outcomeOf(one, backend) === 'passed')).length
    }
    const counts = [own.length, passed([undefined]), passed(native), passed(['typescript'])]
    return { operator, counts, reasons: reasons.join('; ') }
  })
}

/** Those rows as a Markdown table. */
export function operatorTable(rows) {
  const cells = [
    ['operator', 'cases', 'as constants', 'by `Model`, native', 'by `Model`, TypeScript', 'refused'],
    ...rows.map(({ operator, counts, reasons }) => [operator, ...counts, reasons || '–']),
  ]
  const lines = cells.map((line) => `| ${line.join(' | ')} |`)
  return [lines[0], '| --- | --- | --- | --- | --- | --- |', ...lines.slice(1)].join('\n')
}

/** Prints the table; `write` puts it in place of that of the page. */
export function printOperators(write) {
  const table = operatorTable(operatorRows(availableBackends().filter((name) => name !== 'typescript')))
  console.log(`\n${table}`)
  if (!write) return
  const page = new URL('../../docs/conformance.md', import.meta.url)
  const text = readFileSync(page, 'utf8')
  const old = text.split('\n\n').find((part) => part.startsWith('| operator '))
  writeFileSync(
    page,
    text.replace(old, () => table),
  )
}
