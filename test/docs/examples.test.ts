/** The examples run, on each engine, and what they print is true: their numbers are PyTorch's. */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { engines } from '../support/backends.ts'

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}/index.mjs`, import.meta.url))

function run(name: string, backend: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [example(name), ...args], {
    encoding: 'utf8',
    env: { ...process.env, NATIVE_RNN_BACKEND: backend },
  })
  expect(stderr).toBe('')
  expect(status, stdout).toBe(0)
  return stdout
}

describe.each(engines)('on %s', (backend) => {
  const native = backend !== 'typescript'

  it('quickstart shows that every way of computing agrees', () => {
    const printed = run('quickstart', backend)
    expect(printed).toMatch(/hand-written loop\n( +-?0\.\d{7}){4}\n/)
    expect(printed).toMatch(/PyTorch, recorded\n +-0\.6055\d+ +-0\.3371\d+ +0\.571\d+ +-0\.4339\d+\n/)
    expect(printed).toMatch(native ? /^native \(\w+\)$/m : /^Native code is not in use here/)
    expect(printed).toMatch(`All ${native ? 4 : 3} agree: largest difference from PyTorch`)
  })

  it('digits reads 1,000 unseen digits as PyTorch does', () => {
    const printed = run('digits', backend)
    const accuracies = [...printed.matchAll(/accuracy ([\d.]+) % on 1,000 digits/g)].map(([, value]) => Number(value))
    expect(accuracies).toHaveLength(native ? 2 : 1)
    expect(Math.min(...accuracies)).toBeGreaterThanOrEqual(96)
    expect(printed.match(/1,000 of 1,000 predictions equal PyTorch's/g)).toHaveLength(accuracies.length)
    expect(printed.match(/^\|.{56}\| {2}\d +\d+%/gm)).toHaveLength(28)
    expect(printed.trimEnd().split('\n').at(-1)).toContain('examples/forecast')
  })

  it('onnx runs the whole network that PyTorch exported', () => {
    const printed = run('onnx', backend)
    expect(printed.match(/1,000 of 1,000 predictions equal PyTorch's/g)).toHaveLength(native ? 2 : 1)
    expect(printed).toMatch(`${backend}: rows float32 (batch, 28, 28) → logits float32 (batch, 10)`)
    expect(printed).toMatch(/RNN\(28, 96\)\n .*: RNN\(96, 96\)\n/)
  })

  it("forecast has PyTorch's error, and draws the year where its library is installed", () => {
    const folder = mkdtempSync(join(tmpdir(), 'native-rnn-'))
    try {
      const file = join(folder, 'forecast.svg')
      const printed = run('forecast', backend, file)
      expect(printed).toContain("Error equal to PyTorch's")
      if (existsSync(file)) expect(readFileSync(file, 'utf8')).toMatch(/^<svg /)
      else expect(printed).toContain('No plot')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('text writes what PyTorch would, and the same for the same seed', () => {
    const text = (seed: string) => run('text', backend, '--length', '60', '--seed', seed).split('\n\n')
    const [written, facts] = text('3')
    expect(written).toHaveLength('And it came to pass'.length + 60)
    expect(facts).toContain('The likeliest 200 characters are those of PyTorch')
    expect(text('3')[0]).toBe(written)
    expect(text('4')[0]).not.toBe(written)
  })
})
