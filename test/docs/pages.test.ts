/** Every code block of README.md and docs/ compiles and runs, and what its comments show is what comes; commands and links exist. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { docstringExamples } from './docstrings.ts'
import { writeFiles } from './files.ts'
import { blocksOf, isExample, isForeign, pages, programsOf, root, textOf } from './pages.ts'

// In the checkout, so that a program finds the package by its name.
let work: string
let files: string
afterAll(() => rmSync(work, { recursive: true }))

const programs = pages.flatMap(programsOf)
const globals = `declare function __is(run: () => unknown, shown: unknown, place: string): Promise<void>
declare function __throws(run: () => unknown, code: string, words: string, place: string): Promise<void>
`
const compilerOptions = {
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  noImplicitAny: false,
  useUnknownInCatchVariables: false,
  allowJs: true,
  skipLibCheck: true,
  rootDir: 'pages',
  outDir: 'out',
}

function put(file: string, text: string): void {
  mkdirSync(dirname(join(work, file)), { recursive: true })
  writeFileSync(join(work, file), text)
}

// A sanitizer that is preloaded watches the programs, not the tools.
const { LD_PRELOAD: _, ...toolsEnv } = process.env
const tool = (command: string, args: string[], input = '') =>
  spawnSync(command, args, { encoding: 'utf8', env: toolsEnv, input })

const tsc = join(root, 'node_modules/typescript/bin/tsc')
let compiled = ''
beforeAll(() => {
  work = mkdtempSync(join(root, 'build-docs-'))
  files = join(work, 'files')
  for (const { file, text } of programs) put(`pages/${file}`, text)
  put('pages/globals.d.ts', globals)
  put('pages/docstrings.ts', docstringExamples())
  put('tsconfig.json', JSON.stringify({ compilerOptions, include: ['pages'] }))
  compiled = tool(process.execPath, [tsc, '-p', work, '--pretty', 'false']).stdout
  mkdirSync(files)
  writeFiles(files)
})

it('TypeScript finds nothing wrong in them, nor in the examples of the docstrings', () => {
  expect(compiled).toBe('')
})

describe.concurrent('programs', () => {
  const check = pathToFileURL(join(root, 'test/docs/check.mjs')).href
  it.each(programs.filter(({ runs }) => runs))('$title runs', async ({ file }) => {
    const program = join(work, 'out', file.replace(/\.ts$/, '.js'))
    const { NODE_OPTIONS: _, ...env } = process.env
    // Without native code the first layer says so; that is not the page's affair.
    const child = spawn(process.execPath, ['--no-warnings', '--import', check, program], { cwd: files, env })
    let said = ''
    child.stderr.on('data', (text) => {
      said += text
    })
    const status = await new Promise((resolve) => child.on('close', resolve))
    expect(said).toBe('')
    expect(status).toBe(0)
  })
})

const others = [
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'bench/README.md',
  'examples/README.md',
  'test/fixtures/README.md',
  'test/fixtures/models/README.md',
]
const texts = [...pages, ...others].concat(
  ['digits', 'fleet', 'forecast', 'onnx', 'quickstart', 'server', 'text', 'vad'].map(
    (name) => `examples/${name}/README.md`,
  ),
)

describe.each(texts.filter((page) => existsSync(join(root, page))))('%s', (page) => {
  const text = textOf(page)

  it('names scripts and files that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const named = [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name)
    const own = (folder: string) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).scripts ?? {}
    const there = existsSync(join(root, dirname(page), 'package.json')) ? own(dirname(page)) : {}
    expect(named.filter((name) => !(name in scripts) && !(name in there))).toEqual([])
    const commands = [...text.matchAll(/(?:node|python3) ((?:bench|examples|scripts|test)\/[\w./-]+)/g)]
    expect(commands.map(([, file]) => file).filter((file) => !existsSync(join(root, file)))).toEqual([])
  })

  it('links to files and headings that exist', () => {
    const links = [...text.replace(/```[\s\S]*?```/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link)
    const broken = links.filter((link) => {
      if (/^https?:/.test(link)) return false
      const [path, heading] = link.split('#')
      const target = join(dirname(page), path)
      if (path !== '' && !existsSync(join(root, target))) return true
      return heading !== undefined && !headings(path === '' ? page : target).includes(heading)
    })
    expect(broken).toEqual([])
  })
})

/** The anchors of a page, as GitHub makes them. */
function headings(page: string): string[] {
  const lines = textOf(page).match(/^#+ .+$/gm) ?? []
  return lines.map((line) =>
    line
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

it.each(pages)('%s: programs with packages of others are files of examples/, which have their own tests', (page) => {
  const foreign = blocksOf(page).filter(({ language, code }) => /^[jt]s$/.test(language) && isForeign(code))
  expect(foreign.filter(({ code }) => !isExample(code))).toEqual([])
})

const python = ['python3', 'python'].find((name) => tool(name, ['--version']).status === 0)

it.each(pages.flatMap((page) => blocksOf(page).filter(({ language }) => language === 'python')))(
  'Python parses the block at line $line',
  ({ code }) => {
    if (!python) return
    const { stderr } = tool(python, ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], code)
    expect(stderr).toBe('')
  },
)

it('the conformance table of README.md is that of docs/conformance.md', () => {
  const tableOf = (page: string) => textOf(page).match(/^\| case of the ONNX[\s\S]*?(?=\n\n|\n<)/m)?.[0]
  expect(tableOf('README.md')).toBe(tableOf('docs/conformance.md'))
})
