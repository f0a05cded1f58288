// A bundle in the edge-runtime package; `module` is what its import of native-rnn.wasm?module stands for, as Vercel's tools put it there.
import { readFileSync } from 'node:fs'
import { EdgeRuntime } from 'edge-runtime'

const [bundle, file] = process.argv.slice(2)
const runtime = new EdgeRuntime({
  initialCode: readFileSync(bundle, 'utf8'),
  extend: (context) => Object.assign(context, { nativeRnnModule: new WebAssembly.Module(readFileSync(file)) }),
})
const answer = await runtime.dispatchFetch('http://edge/')
console.log(await answer.text())
