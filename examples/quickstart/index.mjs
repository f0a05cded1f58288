/** The smallest whole case: one RNN on three steps, native and in TypeScript, beside a hand-written loop and PyTorch's numbers. */

import { availableBackends, backendInfo, loadSafetensors, RNN, Tensor } from 'native-rnn'

const TOLERANCE = 1e-6
const file = await loadSafetensors(new URL('pytorch.safetensors', import.meta.url))
const sequence = [
  [1, 2, 3],
  [3, 4, 5],
  [5, 6, 7],
]

/** The RNN(3, 4) of the recorded weights on a backend; `input` is (batch 1, time 3, features 3). */
function run(backend) {
  const rnn = new RNN(3, 4, { bias: false, batchFirst: true, backend })
  rnn.loadStateDict(file, { prefix: 'rnn.' })
  return rnn.forward([sequence]).output.toNested()[0]
}

/** The same without a library: h ← tanh(W_ih · x + W_hh · h). */
function byHand() {
  const wIh = file['rnn.weight_ih_l0'].toNested()
  const wHh = file['rnn.weight_hh_l0'].toNested()
  const dot = (row, vector) => row.reduce((sum, weight, i) => sum + weight * vector[i], 0)
  let h = [0, 0, 0, 0]
  return sequence.map((x) => {
    h = h.map((_, unit) => Math.tanh(dot(wIh[unit], x) + dot(wHh[unit], h)))
    return h
  })
}

const { name, reason } = backendInfo()
const results = new Map()
if (name === 'typescript')
  console.log(`Native code is not in use here (${reason ?? 'forced by NATIVE_RNN_BACKEND'}).\n`)
else results.set(`native (${name})`, run(name))
results.set('typescript', run('typescript'))
results.set('hand-written loop', byHand())
results.set('PyTorch, recorded', file.output.toNested()[0])

console.log('RNN(3, 4, { bias: false, batchFirst: true }) on [[1,2,3],[3,4,5],[5,6,7]]\n')
for (const [title, rows] of results) {
  console.log(title)
  for (const row of rows) console.log(`  ${row.map((value) => value.toFixed(7).padStart(10)).join('  ')}`)
}

const pytorch = file.output.data
const worst = Math.max(
  ...[...results.values()].flatMap((rows) =>
    Array.from(Tensor.from(rows).data, (value, i) => Math.abs(value - pytorch[i])),
  ),
)
const agree = worst <= TOLERANCE
console.log(`\nBackends of this machine: ${availableBackends().join(', ')}`)
console.log(
  `All ${results.size} ${agree ? 'agree' : 'DISAGREE'}: largest difference from PyTorch ${worst.toExponential(1)}`,
)
if (!agree) process.exitCode = 1
