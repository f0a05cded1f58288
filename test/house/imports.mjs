/**
 * What imports what: reads `#include` and `import` lines of a folder tree, types too, and finds circles of files. `npm run imports` prints
 * for native/ and lib/, folder by folder, the folders that each reaches. Knows how the lines of both languages look.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '..', '..')

/**
 * @typedef {object} Source
 * @property {string} file its path from the tree's folder, with `/`
 * @property {string} text
 * @property {string[]} imports files of the same tree, as such paths; also those that do not exist
 * @property {string[]} system packages of TypeScript, headers in angle brackets of C++
 */

const languages = {
  cpp: { file: /\.(cpp|h)$/, own: /^ *# *include "(.+)"/gm, system: /^ *# *include <(.+)>/gm },
  ts: {
    file: /\.ts$/,
    own: /(?:\bfrom|\bimport\(|^import)\s*'(\.[^']+)'/gm,
    system: /(?:\bfrom|\bimport\(|\brequire\(|^import)\s*'([^.'][^']*)'/gm,
  },
}

/**
 * Every file of a folder of the checkout that is written in a language, in the order of their paths.
 * @param {string} folder
 * @param {keyof typeof languages} language
 * @returns {Source[]}
 */
export function sourcesOf(folder, language) {
  return filesOf(folder, languages[language].file).map(({ file, text }) => source(file, text, language))
}

/**
 * @param {string} folder
 * @param {RegExp} ending
 */
export function filesOf(folder, ending) {
  return namesIn(join(root, folder), '')
    .filter((name) => ending.test(name))
    .sort()
    .map((file) => ({ file, text: readFileSync(join(root, folder, file), 'utf8') }))
}

/**
 * The files below a folder, but not what was installed or built there: an example's node_modules leads back to the whole checkout.
 * @param {string} folder
 * @param {string} prefix
 * @returns {string[]}
 */
function namesIn(folder, prefix) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const name = prefix + entry.name
    if (!entry.isDirectory()) return [name]
    return /^(build|node_modules)$/.test(entry.name) ? [] : namesIn(join(folder, entry.name), `${name}/`)
  })
}

/**
 * @param {string} file
 * @param {string} text
 * @param {keyof typeof languages} language
 * @returns {Source}
 */
export function source(file, text, language) {
  const { own, system } = languages[language]
  const named = (/** @type {RegExp} */ pattern) => [...new Set([...text.matchAll(pattern)].map(([, name]) => name))]
  const imports = named(own).map((name) => normalize(join(dirname(file), name)).replaceAll('\\', '/'))
  return { file, text, imports, system: named(system) }
}

/**
 * The files that some files reach, themselves among them.
 * @param {Source[]} sources
 * @param {string[]} from
 */
export function reachedFrom(sources, from) {
  const byName = new Map(sources.map((source) => [source.file, source]))
  const reached = new Set(from)
  // A set goes on to what is added to it meanwhile.
  for (const file of reached) for (const next of byName.get(file)?.imports ?? []) reached.add(next)
  return sources.filter(({ file }) => reached.has(file))
}

/**
 * Circles, each as the files along it; no two of them begin with the same arrow.
 * @param {Pick<Source, 'file' | 'imports'>[]} sources
 */
export function circlesOf(sources) {
  const byName = new Map(sources.map((source) => [source.file, source]))
  /** @type {Set<string>} */
  const done = new Set()
  /** @type {string[][]} */
  const circles = []
  const visit = (/** @type {string} */ file, /** @type {string[]} */ path) => {
    if (path.includes(file)) return circles.push([...path.slice(path.indexOf(file)), file])
    if (done.has(file)) return
    for (const next of byName.get(file)?.imports ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const { file } of sources) visit(file, [])
  return circles
}

/** The folder that a file counts to: two levels at most; a file at the top stands for itself. */
const folderOf = (/** @type {string} */ file) =>
  file.includes('/') ? file.split('/').slice(0, -1).slice(0, 2).join('/') : file

/**
 * The table of one tree.
 * @param {string} name
 * @param {Source[]} sources
 */
function report(name, sources) {
  /** @type {Map<string, { files: number, lines: number, imports: Set<string> }>} */
  const folders = new Map()
  for (const { file, text, imports } of sources) {
    const folder = folderOf(file)
    const row = folders.get(folder) ?? { files: 0, lines: 0, imports: new Set() }
    folders.set(folder, row)
    row.files++
    row.lines += text.split('\n').length - 1
    for (const other of imports) if (folderOf(other) !== folder) row.imports.add(folderOf(other))
  }
  const arrows = [...folders.values()].reduce((sum, { imports }) => sum + imports.size, 0)
  const lines = [...folders.values()].reduce((sum, { lines }) => sum + lines, 0)
  const counts = `${folders.size} folders, ${sources.length} files, ${lines} lines, ${arrows} arrows`
  console.log(`${name}: ${counts}, ${circlesOf(sources).length} circles of files\n`)
  const width = Math.max(...[...folders.keys()].map(({ length }) => length))
  console.log(`  ${'folder'.padEnd(width)}  files  lines  imports`)
  for (const [folder, { files, lines, imports }] of [...folders].sort()) {
    const counts = `${String(files).padStart(5)}  ${String(lines).padStart(5)}`
    console.log(`  ${folder.padEnd(width)}  ${counts}  ${[...imports].sort().join(', ') || '–'}`)
  }
  console.log('')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  report('native', sourcesOf('native', 'cpp'))
  report('lib', sourcesOf('lib', 'ts'))
}
