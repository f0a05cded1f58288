// Makes the package's declarations of what the compiler wrote into dist/types: only those that the public names reach, in words that
// every module setting and every target of TypeScript knows.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const imported = /(?:from |import\()['"](\.[^'"]+)\.[jt]s['"]/g

export function finishDeclarations(dist) {
  const folder = join(dist, 'types')
  const reached = new Set()
  const reach = (file) => {
    if (reached.has(file)) return
    reached.add(file)
    for (const [, other] of readFileSync(file, 'utf8').matchAll(imported)) reach(join(dirname(file), `${other}.d.ts`))
  }
  reach(join(folder, 'index.d.ts'))
  // The rest is internal, or left of an earlier build.
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath ?? entry.path, entry.name)
    if (/\.d\.c?ts$/.test(file) && !reached.has(file)) rmSync(file)
  }
  for (const file of reached) writeFileSync(file, branded(readFileSync(file, 'utf8')))

  // `import` and `require` have one set of types, as they have one module. A CommonJS one both may ask for; an ES module's is refused to
  // a CommonJS project by TypeScript's older settings.
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n')
  // What the names need beyond TypeScript's default libraries (of es5, up to 5.9): the references bring it, and `using` with Symbol.dispose.
  const libraries = '/// <reference lib="es2020" />\n/// <reference lib="esnext.disposable" />\n'
  const entry = `${libraries}export * from './types/index.js'\n`
  for (const name of ['index.d.ts', 'index.d.cts']) writeFileSync(join(dist, name), entry)
}

/** Private names, which declarations for old targets may not have, as private properties: no other class has the same. */
function branded(text) {
  let name
  return text
    .split('\n')
    .map((line) => {
      name = /\bclass (\w+)/.exec(line)?.[1] ?? name
      return line.replace(/^( *)#private;$/, `$1private readonly '#${name}';`)
    })
    .join('\n')
}
