/** Reading whole models: from disk, with files beside it, and every file that is refused. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Model, type ModelOptions } from 'native-rnn'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectError, expectRejected, rejection } from '../support/errors.ts'
import { affine, modelBackends, modelFile, recurrent } from '../support/model-files.ts'
import { bytes, externalData, integer, rawTensorBody } from '../support/onnx-writer.ts'

/** y = x · W, with W in another file. */
const beside = (location: string) =>
  modelFile({
    nodes: [{ opType: 'MatMul', inputs: ['x', 'W'], outputs: ['y'] }],
    inputs: { x: { shape: ['n', 2] } },
    outputs: { y: { shape: ['n', 2] } },
    more: [
      bytes(5, rawTensorBody('W', 1, [2, 2], undefined, [externalData({ location, offset: '4' }), integer(14, 1)])),
    ],
  })
const weights = new Uint8Array(new Float32Array([9, 1, 2, 3, 4]).buffer)

describe.each(modelBackends)('reading a model on %s', (backend) => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'native-rnn-'))
    await mkdir(join(folder, 'model', 'data'), { recursive: true })
    await writeFile(join(folder, 'secret.bin'), weights)
    await writeFile(join(folder, 'model', 'data', 'w.bin'), weights)
  })
  afterAll(() => rm(folder, { recursive: true }))
  const saved = async (name: string, file: Uint8Array) => {
    const path = join(folder, 'model', name)
    await writeFile(path, file)
    return path
  }

  it('reads a file from disk, by its path or URL', async () => {
    const path = await saved('affine.onnx', affine())
    const want = Model.read(affine(), { backend }).run({ x: [[1, 2, 3]] })
    expect((await Model.load(path, { backend })).run({ x: [[1, 2, 3]] })).toEqual(want)
    expect((await Model.load(pathToFileURL(path), { backend })).run({ x: [[1, 2, 3]] })).toEqual(want)
    expect(((await rejection(Model.load(join(folder, 'none.onnx')))) as { code: string }).code).toBe('ENOENT')
    await expectRejected(Model.load(1 as never), 'ERR_RNN_OPTION', 'path must be a string or a URL, got 1')
  })

  it('finds weights beside the file, and nowhere else', async () => {
    const model = await Model.load(await saved('beside.onnx', beside('data/w.bin')), { backend })
    expect(model.run({ x: [[1, 1]] }).y.data).toEqual(new Float32Array([4, 6]))
    for (const location of ['../secret.bin', join(folder, 'secret.bin'), 'data/../../secret.bin', '.']) {
      const path = await saved('outside.onnx', beside(location))
      await expectRejected(Model.load(path, { backend }), 'ERR_RNN_MODEL_FILE', 'which is not in its own folder')
    }
  })

  it('asks for weights in other files', () => {
    const asked: string[] = []
    const give = (location: string) => {
      asked.push(location)
      return weights
    }
    const model = Model.read(beside('w.bin'), { backend, externalData: give })
    expect(model.run({ x: [[1, 1]] }).y.data).toEqual(new Float32Array([4, 6]))
    expect(asked).toEqual(['w.bin'])
    expectError(() => Model.read(beside('w.bin'), { backend }), 'ERR_RNN_MODEL_FILE', 'pass externalData')
  })

  it('refuses what is no model file, and says what it is', async () => {
    const read = (given: unknown) => () => Model.read(given as Uint8Array, { backend })
    const text = (words: string) => new TextEncoder().encode(words)
    expectError(read('model.onnx'), 'ERR_RNN_MODEL_FILE', 'to read a file: await Model.load(path)')
    expectError(read(new Uint8Array()), 'ERR_RNN_MODEL_FILE', 'an empty file')
    expectError(read(text('version https://git-lfs.github.com/spec/v1')), 'ERR_RNN_MODEL_FILE', 'a Git LFS pointer')
    expectError(read(text('<!DOCTYPE html><html>')), 'ERR_RNN_MODEL_FILE', 'an HTML page')
    expectError(read(text('PK\x03\x04')), 'ERR_RNN_MODEL_FILE', 'zip')
    const path = await saved('page.onnx', text('<!DOCTYPE html><html>'))
    await expectRejected(Model.load(path, { backend }), 'ERR_RNN_MODEL_FILE', `${path}: The ONNX file cannot be read`)
    const file = recurrent()
    expectError(read(file.subarray(0, file.length / 2)), 'ERR_RNN_MODEL_FILE', 'cannot be read')
  })

  it('names the operator that it does not have', () => {
    const nodes = [{ opType: 'Explode', name: 'boom', inputs: ['x'], outputs: ['y'] }]
    const file = modelFile({ nodes, inputs: { x: { shape: [1] } }, outputs: { y: { shape: [1] } } })
    const words = /node 0 "boom" \(Explode\).*"Explode", opset 17, is not supported/
    expectError(() => Model.read(file, { backend }), 'ERR_RNN_MODEL_FILE', words)
  })

  it('refuses options that it does not know', async () => {
    const read = (options: unknown) => () => Model.read(affine(), options as ModelOptions)
    expectError(read({ thread: 2 }), 'ERR_RNN_OPTION', "unknown option 'thread' of Model.read; did you mean 'threads'?")
    expectError(read({ threads: 0 }), 'ERR_RNN_OPTION', 'threads must be an integer from 1')
    expectError(read({ backend: 'gpu' }), 'ERR_RNN_OPTION', 'backend must be one of')
    expectError(read({ weights: 'int4' }), 'ERR_RNN_OPTION', "weights must be one of 'f32', 'f16', 'bf16', 'int8', got")
    expectError(read({ activations: 'int8' }), 'ERR_RNN_OPTION', "activations 'int8' need weights 'int8'")
    expectError(read({ externalData: 'x' }), 'ERR_RNN_OPTION', 'externalData must be a function')
    expectError(read(1), 'ERR_RNN_OPTION', 'the options of Model.read must be an object')
    expect(read({ weights: 'f32', activations: 'f32', backend, threads: 2 })().backend).toBe(backend)
    await expectRejected(
      Model.load('x', { backen: 1 } as never),
      'ERR_RNN_OPTION',
      "unknown option 'backen' of Model.load",
    )
  })
})
