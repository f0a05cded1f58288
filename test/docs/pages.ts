/**
 * Reads the pages for people: which there are, their code blocks, and the programs that the blocks make. It alone knows the rules:
 *
 * - A `js` or `ts` block that begins with `import` begins a program; one that does not goes on with the program above it.
 * - A block with a file's name behind the language (`js worker.js`) is that file, beside the page's programs.
 * - A block that shows a part of a larger program is put between the lines that `around.ts` has for it.
 * - A program that imports what the checkout does not install must be a file of `examples/`, word for word; that has its own tests.
 * - `expression // → value` holds the value against the expression, four decimals of it.
 * - `statement // throws CODE: words`, or the comment on the next lines, wants exactly this error.
 * - Programs run in a folder of their own with the files that `files.ts` makes.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { around } from './around.ts'

export const root = join(import.meta.dirname, '..', '..')

export interface Block {
  /** `js`, `ts`, `sh`, `python`, or what else stands behind the backticks. */
  readonly language: string
  /** The rest of that line: a file's name, or nothing. */
  readonly name: string
  /** The line of the page that the code begins on, from 0. */
  readonly line: number
  readonly code: string
}

export interface Program {
  /** The page's name and the line that the program begins on: `docs/threads.md:12`; of a named file its name. */
  readonly title: string
  readonly file: string
  /** As long as the page, so that an error's line is the page's. */
  readonly text: string
  /** Whether it is run by itself. */
  readonly runs: boolean
}

/** README.md and docs/*.md, as paths from the root. */
export const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
)

/** The text of a page. */
export const textOf = (page: string) => readFileSync(join(root, page), 'utf8')

/** The code blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const lines = textOf(page).split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const open = /^```(\w*) *(.*)$/.exec(lines[at])
    if (!open) continue
    const line = at + 1
    const end = lines.indexOf('```', line)
    if (end < 0) throw new Error(`${page}:${line}: a code block without an end`)
    blocks.push({ language: open[1], name: open[2], line, code: lines.slice(line, end).join('\n') })
    at = end
  }
  return blocks
}

/** The programs of a page, with the checks that its comments ask for. */
export function programsOf(page: string): Program[] {
  const programs: { title: string; file: string; lines: string[]; runs: boolean; after?: string }[] = []
  const folder = page.replace(/^docs\/|\.md$/g, '')
  for (const { language, name, line, code } of blocksOf(page)) {
    if ((language !== 'js' && language !== 'ts') || isForeign(code)) continue
    const part = around.find((one) => one.page === page && code.startsWith(one.begins))
    if (name !== '' || part || /^(\/\*\*.*\*\/\n)?import /.test(code)) {
      const title = name || `${page}:${line}`
      const file = `${folder}/${name || `line${line}.${language}`}`
      programs.push({ title, file, lines: part ? [part.before] : [], runs: name === '', after: part?.after })
    }
    const program = name === '' ? programs.findLast(({ runs }) => runs) : programs.at(-1)
    if (!program) throw new Error(`${page}:${line}: the page's first program must begin with an import`)
    while (program.lines.length < line) program.lines.push('')
    program.lines.push(...withChecks(code.split('\n'), page, line))
  }
  return programs.map(({ lines, after = '', ...program }) => ({
    ...program,
    text: `${[...lines, after].join('\n')}\n`,
  }))
}

const require = createRequire(import.meta.url)

/** Whether a program imports a package that is not there, or is there by chance: one that package.json does not name. */
export function isForeign(code: string): boolean {
  const { name: own, devDependencies } = require('../../package.json')
  const imported = [...code.matchAll(/^import .* from '([^.'][^']*)'/gm)].map(([, name]) => name)
  return imported.some((name) => !name.startsWith('node:') && name !== own && !(name in devDependencies))
}

/** Whether a program is a file of examples/, word for word. */
export function isExample(code: string): boolean {
  const folders = readdirSync(join(root, 'examples'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const own = folders.flatMap(({ name }) => readdirSync(join(root, 'examples', name)).map((file) => join(name, file)))
  const programs = own.filter((name) => name.endsWith('.mjs'))
  return programs.some((name) => textOf(join('examples', name)).trim() === code.trim())
}

/** Puts a call in place of each line with a check; the number of lines stays. */
function withChecks(lines: string[], page: string, first: number): string[] {
  const checked = [...lines]
  lines.forEach((line, at) => {
    const place = JSON.stringify(`${page}:${first + at + 1}`)
    const shown = /^(\S.*?) +\/\/ → (.+)$/.exec(line)
    if (shown) {
      const expression = shown[1].replace(/^console\.log\((.*)\)$/, '$1')
      checked[at] = `await __is(async () => (${expression}), ${shown[2]}, ${place})`
    }
    const thrown = /^(.*?) *\/\/ throws (\w+): (.+)$/.exec(line)
    if (!thrown) return
    const own = thrown[1] !== ''
    let words = thrown[3]
    for (let next = at + 1; /^\/\/ {2,}/.test(lines[next] ?? ''); next++) words += ` ${lines[next].slice(2).trim()}`
    const statement = own ? thrown[1] : lines[at - 1]
    const call = `await __throws(async () => { ${statement} }, '${thrown[2]}', ${JSON.stringify(words)}, ${place})`
    checked[own ? at : at - 1] = call
  })
  return checked
}
