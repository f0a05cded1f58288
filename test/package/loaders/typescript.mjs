// The declarations in the versions of TypeScript that are in use, by each kind of module, and with each one's default target.
import { join } from 'node:path'
import { check, run } from '../harness.mjs'

const versions = ['5.2', '5.9', '6']

export async function test(project) {
  const folder = project(
    'typescript',
    versions.map((version) => `typescript-${version}@npm:typescript@${version}`),
  )
  for (const version of versions) {
    const tsc = join(folder, 'node_modules', `typescript-${version}`, 'bin', 'tsc')
    const ways = [
      ['--module', 'node16', 'types.cts', 'types.mts'],
      ['--module', 'node16', '--target', 'es2022', 'types.cts', 'types.mts'],
      ['--module', 'nodenext', 'types.cts', 'types.mts'],
      ['--module', 'commonjs', 'types.cts'],
      ['--module', 'esnext', '--moduleResolution', 'bundler', 'types.mts'],
      // Removed from later ones.
      ...(version < '6' ? [['--module', 'commonjs', '--moduleResolution', 'node10', 'types.cts']] : []),
    ]
    for (const way of ways) {
      await check(`TypeScript ${version}: ${way.join(' ')}`, () => {
        run(process.execPath, [tsc, '--noEmit', '--strict', ...way], { cwd: folder })
      })
    }
  }
}
