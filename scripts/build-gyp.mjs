// Builds the addon with node-gyp, without CMake and without a download: Node-API's headers come from node_modules,
// and gyp's settings file, which Node's header archive would bring, is written here.
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const headers = join(root, 'build', 'node-headers')

// Windows links against node.lib, which only Node's own download has; elsewhere the symbols are found at load.
const options = ['--directory', join(root, 'native'), '--release']
if (process.platform !== 'win32') {
  mkdirSync(join(headers, 'include'), { recursive: true })
  cpSync(require('node-api-headers').include_dir, join(headers, 'include', 'node'), { recursive: true })
  const common = {
    variables: { 'visibility%': 'hidden' },
    target_defaults: {
      default_configuration: 'Release',
      configurations: { Release: {}, Debug: {} },
      cflags: ['-fPIC', '-pthread'],
      conditions: [
        [
          'OS=="mac"',
          { xcode_settings: { OTHER_LDFLAGS: ['-Wl,-undefined,dynamic_lookup'], SYMROOT: '<(DEPTH)/build' } },
        ],
      ],
    },
  }
  writeFileSync(join(headers, 'include', 'node', 'common.gypi'), JSON.stringify(common, null, 2))
  options.push(`--nodedir=${headers}`, '--force-process-config')
}
const gyp = join(dirname(require.resolve('node-gyp/package.json')), 'bin', 'node-gyp.js')
const { status } = spawnSync(process.execPath, [gyp, 'rebuild', ...options], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(1)

const release = join(root, 'build', 'Release')
mkdirSync(release, { recursive: true })
rmSync(join(release, 'native-rnn.node'), { force: true })
copyFileSync(join(root, 'native', 'build', 'Release', 'native-rnn.node'), join(release, 'native-rnn.node'))
