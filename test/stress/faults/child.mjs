/** One scenario in this process, or `all`: fails its allocations one after the other until none is left, and prints what came of it. */
import { addonSwitch, arraySwitch } from './control.mjs'

const [wanted, what, times] = process.argv.slice(2)
const addon = process.env.RNN_FAULTS ? addonSwitch(process.env.RNN_FAULTS) : undefined
const here = what === 'addon' ? addon : arraySwitch()
const { scenarios } = await import('./scenarios.mjs')
const { backendInfo } = await import('native-rnn')
if (what === 'addon' && backendInfo().name === 'typescript') throw new Error(backendInfo().reason)

const settle = async () => {
  for (let turn = 0; turn < 6; turn++) {
    gc()
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
const words = /out of memory|allocation failed|starts no thread|shutting down|no memory/i
const told = { failed: 0, absorbed: 0, errors: {} }

async function sweep(name, { before, act, state }, forGood) {
  before?.()
  const start = state?.()
  let want
  for (let n = 1; ; n++) {
    before?.()
    let result
    let error
    here.arm(n, forGood)
    try {
      result = await act()
    } catch (caught) {
      error = caught
    }
    const count = here.disarm()
    if (error) {
      if (!(error instanceof Error) || error instanceof TypeError || !words.test(error.message)) {
        throw new Error(`${name}: allocation ${n} of the ${what} failed, and that gave the wrong error`, {
          cause: error,
        })
      }
      told.failed++
      told.errors[`${error.name}: ${error.message}`] = (told.errors[`${error.name}: ${error.message}`] ?? 0) + 1
      const now = state?.()
      if (now !== start) throw new Error(`${name}: allocation ${n} of the ${what} failed, and the state is ${now}`)
    } else {
      want ??= result
      if (result !== want) throw new Error(`${name}: allocation ${n} of the ${what} failed, and the result is another`)
      if (count >= n) told.absorbed++
      state?.()
    }
    if (count < n) {
      if (error) throw new Error(`${name}: fails without a fault`, { cause: error })
      return
    }
  }
}

async function sweeps(name) {
  // Failures first, so that what an object or the process makes once is made to fail too.
  const made = scenarios[name]()
  await sweep(name, made, true)
  await sweep(name, made, false)
  await settle()
  const before = addon?.live() ?? 0
  for (let time = 1; time < Number(times); time++) {
    await sweep(name, made, time % 2 === 0)
    await settle()
  }
  return (addon?.live() ?? 0) - before - (made.mayKeep ?? 0)
}

let kept = 0
for (const name of wanted === 'all' ? Object.keys(scenarios) : [wanted]) kept = Math.max(kept, await sweeps(name))
console.log(JSON.stringify({ ...told, kept }))
