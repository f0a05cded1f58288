// Makes dist/*.js of lib/: index.js for Node, and for pages and edge runtimes an entry each and web.js, which those have in common.
// For the web a file that ends in .web.ts takes the place of its namesake. The two sides share no file: what Node loads is one file, smaller
// by 5 % than the same in two.
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { build } from 'esbuild'
import { minify } from 'terser'
import { arranged, shortPrivateNames } from './arrange.mjs'

const entries = ['browser', 'workerd', 'edge-light']

/** As arrows these find no end of the stack in JavaScriptCore once it has compiled their callers: `npm run test:musl`. */
const notArrows = ['ensureStack', 'hold']

const common = {
  bundle: true,
  format: 'esm',
  charset: 'ascii',
  // Shorter, and every name as it is written in lib/.
  minifySyntax: true,
  logLevel: 'silent',
  write: false,
  metafile: true,
}

const namesakes = {
  name: 'namesakes',
  setup(builder) {
    builder.onResolve({ filter: /\.wasm(\?.*)?$/ }, ({ path }) => ({ path, external: true }))
    builder.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, importer }) => {
      const file = resolve(dirname(importer), path).replace(/\.ts$/, '.web.ts')
      return existsSync(file) ? { path: file, sideEffects: false } : undefined
    })
  },
}

/**
 * Writes the bundles into `dist`.
 * @param {string} root the folder of the checkout
 */
export async function bundle(root) {
  const lib = join(root, 'lib')
  const outdir = join(root, 'dist')
  const all = { ...common, absWorkingDir: root, outdir }
  const node = await build({ ...all, entryPoints: [join(lib, 'index.ts')], platform: 'node', target: 'node20' })
  const web = await build({
    ...all,
    entryPoints: entries.map((name) => join(lib, 'entries', `${name}.ts`)),
    platform: 'neutral',
    target: 'es2022',
    splitting: true,
    plugins: [namesakes],
  })
  const chunks = Object.keys(web.metafile.outputs)
    .map((file) => basename(file))
    .filter((name) => /^chunk-/.test(name))
  if (chunks.length !== 1) throw new Error(`the entries have ${chunks.length} files in common, not one`)
  for (const name of readdirSync(outdir)) if (/\.js$/.test(name)) rmSync(join(outdir, name))
  const exported = [node, web].flatMap(({ metafile }) =>
    Object.values(metafile.outputs).flatMap((file) => file.exports),
  )
  for (const { path, text } of [...node.outputFiles, ...web.outputFiles])
    writeFileSync(
      path.replace(chunks[0], 'web.js'),
      await minified(text.replaceAll(chunks[0], 'web.js'), [...new Set(exported)]),
    )
}

/**
 * Node reads and compiles the text at each start, so it is short; names of methods and of all that is exported stay, and lines are no longer than
 * an uncaught error may print. No function is moved into its caller: how deep the stack is at which place is part of what is tested, and a function
 * within another is made anew at each call.
 */
async function minified(text, exported) {
  const kept = new RegExp(`^(${exported.join('|')})$`)
  const names = { keep_fnames: kept, keep_classnames: kept }
  const all = { module: true, ecma: 2022, format: { ascii_only: true, semicolons: false, max_line_len: 1000 } }
  const { code } = await minify(classNames(text), {
    ...all,
    compress: { ...names, passes: 2, inline: false, reduce_funcs: false, lhs_constants: false },
    mangle: false,
  })
  const short = await minify(arranged(shortPrivateNames(code), [...exported, ...notArrows]), {
    ...all,
    compress: { ...names, defaults: false, join_vars: true },
    mangle: names,
  })
  return `${short.code}\n`
}

/**
 * The bundler calls a class that names itself _LSTM, and leaves the others to the names of their variables, which become short. Its own remedy,
 * keepNames, names closures each time one is made, which makes a small call three times as long; so the names are put right in the text.
 */
function classNames(text) {
  let named = text
  for (const [, name] of text.matchAll(/\b(\w+) = class _\1\b/g))
    named = named.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), name)
  return named.replace(/\b([A-Z]\w*) = class(?= extends| \{)/g, '$1 = class $1')
}
