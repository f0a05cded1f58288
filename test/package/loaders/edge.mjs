// edge-light outside of Next.js: the edge-runtime package, in which Vercel's tools run functions.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { check, program, run } from '../harness.mjs'

const node = process.execPath

const esbuild = `
import { build } from 'esbuild'
const modules = { name: 'modules', setup(builder) {
  builder.onResolve({ filter: /\\.wasm\\?module$/ }, ({ path }) => ({ path, namespace: 'modules' }))
  builder.onLoad({ filter: /./, namespace: 'modules' }, () => ({ contents: 'export default nativeRnnModule' }))
} }
await build({ bundle: true, format: 'iife', logLevel: 'warning', entryPoints: ['listens.mjs'], outfile: 'edge.js',
  conditions: ['edge-light'], plugins: [modules] })`

export async function test(project) {
  const folder = project('edge', ['edge-runtime@4', 'esbuild@0.28'], 'edge')
  const module = join(folder, 'node_modules', 'native-rnn', 'dist', 'native-rnn.wasm')
  await check('WebAssembly on Node', () => {
    return program(node, ['esm.mjs'], { backend: 'wasm', extra: { NATIVE_RNN_BACKEND: 'wasm' } }).backend
  })
  await check('esbuild for edge-light, a script without import or await, in edge-runtime 4', () => {
    writeFileSync(join(folder, 'build.mjs'), esbuild)
    const { stderr } = run(node, ['build.mjs'], { cwd: folder })
    if (stderr) throw new Error(`esbuild warns: ${stderr}`)
    return program(node, ['serve.mjs', 'edge.js', module], { cwd: folder, backend: 'wasm' }).backend
  })
}
