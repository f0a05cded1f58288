// Tests the package in the tools that load, bundle, compile or run it in their own ways; they come from the npm registry into a folder
// of their own. `npm run test:loaders`, or with the names of sections; it takes minutes.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { check, finish, here, npm, pack, program, work } from '../harness.mjs'

const { file } = pack()
npm(['install', '--ignore-scripts', file])
await check('the installed package, natively', () => program(process.execPath, ['esm.mjs']).backend)

/** A project with tools and the package in it, and files of programs/. */
function project(name, tools, ...files) {
  const folder = join(work, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  npm(['install', '--ignore-scripts', '--prefer-offline', ...tools, file], { cwd: folder })
  for (const from of [join(here, 'programs'), ...files.map((path) => join(here, 'loaders', 'programs', path))])
    cpSync(from, folder, { recursive: true })
  return folder
}

const wanted = process.argv.slice(2)
for (const name of ['typescript', 'jest', 'bundlers', 'browser', 'workers', 'edge', 'bun', 'executables', 'next']) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const { test } = await import(`./${name}.mjs`)
  await test(project, file)
}
finish('loaders')
