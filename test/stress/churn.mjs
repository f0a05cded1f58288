/** Workers and processes ended in the middle of their work, again and again: `npm run churn` (`-- --short` for a tenth). */
import { fork } from 'node:child_process'
import cluster from 'node:cluster'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { GRU, Tensor } from 'native-rnn'

const x = new Tensor(new Float32Array(32 * 2000).fill(0.1), [2000, 1, 32])
const frame = new Float32Array(32)
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Everything at once, without end: asynchronous calls, batched steps, whole passes, streams, layers that come and go. */
function work(layer) {
  const batcher = layer.batcher({ maxBatch: 4 })
  const forever = async (act) => {
    for (;;) await act()
  }
  for (const stream of Array.from({ length: 16 }, () => batcher.open())) forever(() => stream.step(frame))
  for (let i = 0; i < 6; i++) forever(() => layer.forwardAsync(x))
  setInterval(() => {
    layer.stream().step(frame)
    new GRU(32, 32).forward(x)
    layer.forwardAsync(x, { signal: AbortSignal.timeout(2) }).catch(() => {})
  }, 1)
}

/** So many workers, one after the other, each terminated at another moment; the main thread computes meanwhile. */
async function workers(times) {
  const layer = new GRU(32, 32, { seed: 1, numLayers: 2 })
  const want = layer.forward(x).hn.data.join()
  const took = []
  let wrong = 0
  for (let time = 0; time < times; time++) {
    const data = time % 2 ? layer.share() : undefined
    const worker = new Worker(new URL(import.meta.url), { workerData: { layer: data } })
    const failed = new Promise((_, reject) => worker.once('error', reject))
    const call = layer.forwardAsync(x)
    // From the very start, when the addon is not even loaded, to the middle of the work.
    if (time % 4 > 0) await Promise.race([failed, new Promise((resolve) => worker.once('message', resolve))])
    await pause((time * 7) % 23)
    const start = performance.now()
    await worker.terminate()
    took.push(performance.now() - start)
    if ((await call).hn.data.join() !== want) wrong++
  }
  return { took, wrong }
}

/** So many processes at once, killed in the middle of their work; how they ended. */
async function processes(make, signal) {
  const child = make()
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
  await new Promise((resolve) => child.once('message', resolve))
  await pause(Math.random() * 20)
  if (signal) child.kill(signal)
  else child.send('exit')
  return ended
}

const child = (role) => () => fork(import.meta.filename, [role])
const clustered = () => {
  cluster.setupPrimary({ exec: import.meta.filename, args: ['working'] })
  return cluster.fork().process
}

const { values, positionals } = parseArgs({ options: { short: { type: 'boolean' } }, allowPositionals: true })
if (!isMainThread) {
  work(workerData.layer ? GRU.fromShared(workerData.layer) : new GRU(32, 32, { seed: 1, numLayers: 2 }))
  parentPort.postMessage('runs')
} else if (positionals[0] === 'workers') {
  process.send(await workers(10))
  process.disconnect()
} else if (positionals[0] === 'working') {
  work(new GRU(32, 32, { seed: 1 }))
  process.on('message', () => process.exit(7))
  process.send('runs')
} else {
  const parts = values.short ? 1 : 10
  let bad = 0
  const took = []
  for (let part = 0; part < parts; part++) {
    const process = child('workers')()
    const answer = new Promise((resolve) => process.once('message', resolve))
    const code = await new Promise((resolve) => process.once('exit', (code, signal) => resolve(signal ?? code)))
    if (code !== 0) bad++
    else {
      const told = await answer
      took.push(...told.took)
      bad += told.wrong
    }
  }
  took.sort((a, b) => a - b)
  const [median, longest] = [took[took.length >> 1], took.at(-1)].map((ms) => ms?.toFixed(1))
  console.log(
    `${took.length} workers terminated in ${parts} processes: median ${median} ms, longest ${longest} ms, ${bad} wrong`,
  )
  for (const [name, make, signal, end] of [
    ['child processes, SIGTERM', child('working'), 'SIGTERM', 'SIGTERM'],
    ['child processes, process.exit()', child('working'), undefined, 7],
    ['cluster workers, SIGTERM', clustered, 'SIGTERM', 'SIGTERM'],
    ['cluster workers, process.exit()', clustered, undefined, 7],
  ]) {
    const count = values.short ? 2 : 20
    let other = 0
    for (let i = 0; i < count; i += 2) {
      for (const ended of await Promise.all([0, 1].map(() => processes(make, signal)))) if (ended !== end) other++
    }
    bad += other
    console.log(`${count} ${name}: ${other} ended otherwise`)
  }
  process.exitCode = bad ? 1 : 0
}
