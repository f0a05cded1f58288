/**
 * What the promise of bits costs: it fixes one number of partial sums for a product, whatever the rows and the ISA. This
 * builds the addon with every other number too and says how much faster the best one would be for each path alone.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = join(here, '..')
const backend = process.argv[2] ?? 'avx2'

function run(command, args, env = {}) {
  const done = spawnSync(command, args, { cwd: root, encoding: 'utf8', env: { ...process.env, ...env } })
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}\n${done.stderr ?? ''}${done.error ?? ''}`)
}

/** An addon that uses so many partial sums (log2) wherever the cell allows it; without a number, those it is shipped with. */
function build(partials) {
  const folder = join(here, 'build', `partials-${partials ?? 'own'}`)
  const flags = partials === undefined ? '' : `-DRNN_PARTIALS=${partials}`
  const settings = [`-DCMAKE_CXX_FLAGS=${flags}`, '-DCMAKE_BUILD_TYPE=Release']
  run('cmake', ['-S', root, '-B', folder, ...settings])
  run('cmake', ['--build', folder, '-j', String(availableParallelism())])
  return join(folder, 'native-rnn.node')
}

function time(addon) {
  const file = join(here, 'build', 'promise.json')
  const args = ['--promise', '--busy', '--rivals', 'none', '--backend', backend, '--json', file]
  run(process.execPath, [join(here, 'index.mjs'), ...args], { NATIVE_RNN_PATH: addon })
  const { results } = JSON.parse(readFileSync(file, 'utf8'))
  return new Map(results.map(({ name, times }) => [name, times[backend].us]))
}

const variants = [undefined, 0, 1]
// The variants take turns, so that a neighbour of the machine slows them alike; the best of each counts.
const rounds = 6
const addons = variants.map((partials) => {
  console.error(`building with ${partials === undefined ? 'its own numbers of' : 2 ** partials} partial sums`)
  return build(partials)
})
const best = variants.map(() => new Map())
for (let round = 0; round < rounds; round++) {
  for (const [i, addon] of addons.entries()) {
    console.error(`round ${round + 1}, variant ${i + 1} of ${variants.length}`)
    for (const [name, us] of time(addon)) best[i].set(name, Math.min(us, best[i].get(name) ?? Infinity))
  }
}
const rows = [...best[0]].map(([name, own]) => {
  const others = best.slice(1).map((times) => times.get(name))
  return { name, own, others, cost: own / Math.min(own, ...others) - 1 }
})
console.log(
  `${backend}: µs with its own number of partial sums, with 1, 2 (or as many as the cell allows), and what its own costs`,
)
for (const { name, own, others, cost } of rows) {
  const cells = [own, ...others].map((us) => us.toFixed(3).padStart(10))
  console.log(`${name.padEnd(32)}${cells.join('')}${`${(cost * 100).toFixed(0)} %`.padStart(7)}`)
}
mkdirSync(join(here, 'build'), { recursive: true })
writeFileSync(join(here, 'build', `promise-${backend}.json`), JSON.stringify(rows, null, 1))
