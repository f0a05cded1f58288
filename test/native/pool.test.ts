/** Threads of the pool: which calls start them, and which processors they may use. */
import { describe, expect, it } from 'vitest'
import { nativeBackends } from '../support/backends.ts'
import { printed } from '../support/child.ts'

// A sleeping thread is woken on another processor than the caller's, by what it may use while it sleeps (native/threading/pool.cpp).
describe.runIf(process.platform === 'linux' && nativeBackends.length > 0)('threads of the pool', () => {
  // In a program: the folders of the pool's threads in /proc.
  const poolTasks = `readdirSync('/proc/self/task').map((task) => '/proc/self/task/' + task)
      .filter((task) => readFileSync(task + '/comm', 'utf8').trim() === 'native-rnn')`
  const processors = (limit: boolean) => `
    import { execFileSync } from 'node:child_process'
    import { readdirSync, readFileSync } from 'node:fs'
    import { LSTM, Tensor } from 'native-rnn'
    const allowed = (file) => /Cpus_allowed_list:\\s*(\\S+)/.exec(readFileSync(file, 'utf8'))[1]
    const first = /^\\d+/.exec(allowed('/proc/self/status'))[0]
    if (${limit}) execFileSync('taskset', ['-pc', first, String(process.pid)])
    const layer = new LSTM(64, 64, { threads: 2, seed: 1, backend: '${nativeBackends[0]}' })
    const input = new Tensor(new Float32Array(20 * 16 * 64), [20, 16, 64])
    for (let i = 0; i < 20; i++) {
      layer.forward(input)
      await layer.forwardAsync(input)
    }
    const pool = ${poolTasks}
    const own = allowed('/proc/self/status')
    console.log(JSON.stringify(pool.map((task) => allowed(task + '/status') === own)))`

  it('may use all processors of the process while they work', async () => {
    // The one that ran the last call got them back before it did.
    expect(await printed(processors(false))).toContain(true)
  })

  it('are started by calls that gain by it alone', async () => {
    const text = `
      import { readdirSync, readFileSync } from 'node:fs'
      import { availableParallelism } from 'node:os'
      import { LSTM, Tensor } from 'native-rnn'
      const options = { threads: 2, seed: 1, backend: '${nativeBackends[0]}' }
      const run = (size, T, B) => {
        new LSTM(size, size, options).forward(new Tensor(new Float32Array(T * B * size), [T, B, size]))
        return ${poolTasks}.length > 0
      }
      console.log(JSON.stringify([run(8, 3, 2), run(32, 10, 4), run(128, 1, 1), run(128, 100, 32), availableParallelism() > 1]))`
    const [tiny, small, step, batch, several] = (await printed(text, { NATIVE_RNN_SHARING: '' })) as boolean[]
    expect({ tiny, small, step, batch }).toEqual({ tiny: false, small: false, step: false, batch: several })
  })

  it('never use another than those that the process was given', async () => {
    const all = (await printed(processors(true))) as boolean[]
    expect(all.length).toBeGreaterThan(0)
    expect(all).not.toContain(false)
  })
})
