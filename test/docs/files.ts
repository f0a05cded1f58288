/** The files that the programs of the pages find in their folder. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Embedding, GRU, Linear, LSTM, readSafetensors, type StateDict, Tensor, writeSafetensors } from 'native-rnn'
import { integer, message, model, node, text } from '../support/onnx-writer.ts'
import { root } from './pages.ts'

const under = (prefix: string, dict: StateDict) =>
  Object.fromEntries(Object.entries(dict).map(([key, value]) => [prefix + key, value]))

/** Writes them. */
export function writeFiles(folder: string): void {
  const write = (name: string, dict: StateDict) => writeFileSync(join(folder, name), writeSafetensors(dict))
  write('model.safetensors', {
    ...under('rnn.', new LSTM(8, 64, { numLayers: 2, seed: 1 }).stateDict()),
    ...under('head.', new Linear(64, 10, { seed: 2 }).stateDict()),
  })
  write('text.safetensors', {
    ...under('embedding.', new Embedding(63, 16, { seed: 3 }).stateDict()),
    ...under('rnn.', new GRU(16, 32, { seed: 4 }).stateDict()),
    ...under('head.', new Linear(32, 63, { seed: 5 }).stateDict()),
  })
  const damaged = writeSafetensors({ weight: Tensor.from([1]) })
  writeFileSync(join(folder, 'cut.safetensors'), damaged.subarray(0, -1))
  writeFileSync(join(folder, 'model.pt'), 'PK\x03\x04 the zip archive that holds model/data.pkl')
  copyFileSync(join(root, 'examples/quickstart/pytorch.safetensors'), join(folder, 'rnn.safetensors'))
  const exported = JSON.parse(readFileSync(join(root, 'test/fixtures/onnx/exported.json'), 'utf8'))
  const { model } = exported.find(({ name }: { name: string }) => name === 'LSTM without bias')
  writeFileSync(join(folder, 'model.onnx'), Buffer.from(model, 'base64'))
  for (const [file, model] of Object.entries(models)) {
    copyFileSync(join(root, `test/fixtures/models/${model}.onnx`), join(folder, file))
  }
  writeFileSync(join(folder, 'detector.onnx'), unsupported())
  const whole = readFileSync(join(root, 'test/fixtures/models/rates.onnx'))
  writeFileSync(join(folder, 'cut.onnx'), whole.subarray(0, -1000))
  writeFileSync(
    join(folder, 'pointer.onnx'),
    'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 26315\n',
  )
  const keras = recordedOfKeras()
  write('lstm.safetensors', named(keras, 'lstm'))
  write('bidirectional-gru.safetensors', named(keras, 'gru-bidirectional'))
}

/** Whole models; what stands for the voice detector is called as Silero's is. */
const models = {
  'denoiser.onnx': 'denoiser',
  'causal.onnx': 'causal',
  'vad.onnx': 'rates',
  'silero_vad_16k_op15.onnx': 'rates',
  'text-line.onnx': 'text-line',
  'tagger.onnx': 'tagger',
}

/** A model whose boxes are sorted out by a node that is not supported. */
function unsupported(): Uint8Array {
  const value = (id: number, name: string, code: number) =>
    message(id, [text(1, name), message(2, [message(1, [integer(1, code)])])])
  const inputs = ['boxes', 'scores']
  const nms = node({ opType: 'NonMaxSuppression', name: 'nms', inputs, outputs: ['chosen'] })
  return model(nms, ...inputs.map((name) => value(11, name, 1)), value(12, 'chosen', 7))
}

/** What Keras computed, by names as record.py gives them. */
export const recordedOfKeras = () => readSafetensors(readFileSync(join(root, 'test/fixtures/keras/layers.safetensors')))

const places = ['kernel', 'recurrent_kernel', 'bias', 'backward_kernel', 'backward_recurrent_kernel', 'backward_bias']

/** One case's weights by name, and its input and output. */
function named(keras: Record<string, Tensor>, name: string): StateDict {
  const weights = places.flatMap((place, at) => (keras[`${name}.${at}`] ? [[place, keras[`${name}.${at}`]]] : []))
  return { ...Object.fromEntries(weights), x: keras[`${name}.x`], y: keras[`${name}.y`] }
}
