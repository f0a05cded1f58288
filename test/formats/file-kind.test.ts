/** Files that are no models, in place of one: the error says what each is. */

import { readOnnx } from 'native-rnn'
import { describe, it } from 'vitest'
import { expectError } from '../support/errors.ts'

const latin = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
const header = '{"a":{}}'

describe('readOnnx says what a file is that is no ONNX file', () => {
  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'it is an empty file'],
    [
      'a Git LFS pointer',
      latin('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'),
      'a Git LFS pointer, not the file itself: run `git lfs pull`',
    ],
    ['an HTML page', latin('\n<!DOCTYPE html><html><head>'), 'an HTML page'],
    ['an HTML page after a byte-order mark', latin('\xef\xbb\xbf<html lang="en">'), 'an HTML page'],
    ['XML', latin('<?xml version="1.0"?><net name="x">'), 'an XML text'],
    ['JSON', latin('{"modelTopology": {}}'), 'a JSON text that begins "{\\"modelTopology\\": {}}"'],
    ['a text', latin('Entry not found'), 'a text that begins "Entry not found"'],
    ['a zip', latin('PK\x03\x04\x14\0\0\0model.onnx'), 'a zip archive: unpack it first'],
    ['a .pt file', latin('PK\x03\x04\0\0\x08\x08archive/data.pkl'), 'a PyTorch file (.pt)'],
    ['a .keras file', latin('PK\x03\x04\0\0config.json model.weights.h5'), 'a Keras file (.keras)'],
    ['a .npz file', latin('PK\x03\x04\0\0kernel.npy'), 'a NumPy archive'],
    ['gzip', latin('\x1f\x8b\x08\0'), 'a gzip archive'],
    ['HDF5', latin('\x89HDF\r\n\x1a\n\0'), 'an HDF5 file'],
    ['an old .pt file', latin('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.'), 'a Python pickle'],
    ['a pickle', latin('\x80\x04\x95\x10\0\0\0'), 'a Python pickle'],
    ['TensorFlow Lite', latin('\x1c\0\0\0TFL3'), 'a TensorFlow Lite model'],
    [
      'safetensors',
      latin(`${String.fromCharCode(header.length)}\0\0\0\0\0\0\0${header}`),
      'a safetensors file: readSafetensors',
    ],
  ])('%s', (_, bytes, words) => {
    expectError(() => readOnnx(bytes), 'ERR_RNN_MODEL_FILE', `The ONNX file cannot be read: it is `)
    expectError(() => readOnnx(bytes), 'ERR_RNN_MODEL_FILE', words)
  })
})
