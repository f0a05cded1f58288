// The packed package on musl, in Bun for musl with the C++ runtime that scripts/build-musl-runtime.sh makes: the very file that glibc loads.
// `node test/package/musl.mjs <bun> <folder of libstdc++.so.6>`; scripts/test-musl.sh calls it.
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { app, check, env, finish, npm, pack, program, root, run } from './harness.mjs'

const [bun, libraries] = process.argv.slice(2)
const extra = { LD_LIBRARY_PATH: libraries }
const addon = join(app, 'node_modules', 'native-rnn', 'prebuilds', `${process.platform}-${process.arch}.node`)

await check('glibc, this Node: what all are held against', () => {
  npm(['install', '--ignore-scripts', pack().file])
  return program(process.execPath, ['esm.mjs']).backend
})
for (const source of ['esm.mjs', 'cjs.cjs', 'worker.mjs'])
  await check(`musl: ${source}`, () => program(bun, ['run', source], { extra }).backend)
await check('musl: WebAssembly', () => {
  program(process.execPath, ['esm.mjs'], { backend: 'wasm', extra: { NATIVE_RNN_BACKEND: 'wasm' } })
  const asked = { backend: 'wasm', extra: { ...extra, NATIVE_RNN_BACKEND: 'wasm' } }
  return program(bun, ['run', 'esm.mjs'], asked).backend
})
await check('musl: the quickstart', () => {
  cpSync(join(root, 'examples', 'quickstart'), join(app, 'quickstart'), { recursive: true })
  const { stdout } = run(bun, ['run', 'index.mjs'], { cwd: join(app, 'quickstart'), env: { ...env, ...extra } })
  return /^All \d+ agree.*$/m.exec(stdout)[0]
})
// Bun itself wants one, so the addon asks for another.
await check('musl without a C++ runtime: WebAssembly, with the reason', () => {
  const whole = readFileSync(addon, 'latin1')
  if (!whole.includes('libstdc++.so.6')) throw new Error('the addon asks for no libstdc++')
  writeFileSync(addon, whole.replace('libstdc++.so.6', 'libstdc++.so.0'), 'latin1')
  const { reason } = program(bun, ['run', 'esm.mjs'], { backend: 'wasm', extra })
  if (!reason.includes('libstdc++.so.0')) throw new Error(`the reason was: ${reason}`)
  return reason
})

finish('package on musl')
