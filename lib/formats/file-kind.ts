/** What a file is that is no model file of the kind asked for; it alone knows how the others begin, and what to do with each. */

import { describe, fail, unawaited } from '../errors.ts'
import { plainBytes, typedArrayName } from '../intrinsics/typed-arrays.ts'

/** How many bytes at either end are looked at. */
const head = 512
const tail = 2 ** 16

/** Refuses what are no bytes of a file; a path in their place, or a buffer, is told what to do. `byPath` is how a file is read. */
export function checkBytes(bytes: unknown, byPath: string): asserts bytes is Uint8Array {
  if (typedArrayName(bytes) === 'Uint8Array') return
  const hint =
    typeof bytes === 'string'
      ? `; to read a file: ${byPath}`
      : bytes instanceof ArrayBuffer
        ? '; new Uint8Array(buffer) makes one'
        : unawaited(bytes)
  fail('ERR_RNN_MODEL_FILE', `bytes must be a Uint8Array with the whole file, got ${describe(bytes)}${hint}`)
}

/**
 * What these bytes are, where they are surely something other than a model file that this package reads: words that complete
 * "this is …", with what to do about it. Undefined where nothing is sure. It looks at the two ends of a file only.
 *
 * @param bytes the whole file
 * @param wanted the kind that the caller reads; the other one is named too
 */
export function otherKind(bytes: Uint8Array, wanted?: 'onnx' | 'safetensors'): string | undefined {
  if (bytes.length === 0) return 'an empty file'
  if (isSafetensors(bytes)) return wanted === 'onnx' ? 'a safetensors file: readSafetensors reads it' : undefined
  const start = latin(bytes, 0, head)
  for (const { at = 0, magic, is } of kinds) {
    if (start.startsWith(magic, at)) return typeof is === 'string' ? is : is(bytes)
  }
  if (wanted === 'safetensors' && isOnnx(bytes)) return 'an ONNX file: Model.load runs it, readOnnx reads its layers'
  return textKind(start)
}

/** The bytes of an ONNX file as a plain view; refuses what is surely something else. */
export function onnxFile(bytes: Uint8Array): Uint8Array {
  const file = plainBytes(bytes)
  const other = otherKind(file, 'onnx')
  if (other !== undefined) fail('ERR_RNN_MODEL_FILE', `The ONNX file cannot be read: it is ${other}`)
  return file
}

interface Kind {
  readonly at?: number
  readonly magic: string
  readonly is: string | ((bytes: Uint8Array) => string)
}

const torch = 'in Python, torch.onnx.export or safetensors.torch.save_file write what can be read'
const keras = 'in Python, model.get_weights() has its weights, and tf2onnx writes ONNX'
const packed = (name: string) => `a ${name} archive: unpack it first`
const pickle = `a Python pickle, which only Python can read safely: ${torch}`

const kinds: readonly Kind[] = [
  {
    magic: 'version https://git-lfs.github.com/spec/',
    is: 'a Git LFS pointer, not the file itself: run `git lfs pull`',
  },
  { magic: 'PK\x03\x04', is: zipKind },
  { magic: 'PK\x05\x06', is: 'a zip archive without files' },
  { magic: '\x1f\x8b', is: packed('gzip') },
  { magic: '\x28\xb5\x2f\xfd', is: packed('Zstandard') },
  { magic: '\xfd7zXZ\0', is: packed('xz') },
  { magic: 'BZh', is: packed('bzip2') },
  { magic: '7z\xbc\xaf\x27\x1c', is: packed('7z') },
  { at: 257, magic: 'ustar', is: packed('tar') },
  { magic: '\x89HDF\r\n\x1a\n', is: `an HDF5 file, as Keras writes: ${keras}` },
  { magic: '\x93NUMPY', is: 'a NumPy array (.npy)' },
  // A pickle of protocol 2 to 5 and the operation it begins with: a long of PyTorch's old files, a dict, a list, a class, a frame.
  ...['\x02\x8a', '\x02}', '\x02]', '\x02c', '\x03}', '\x03c', '\x04\x95', '\x05\x95'].map((start) => ({
    magic: `\x80${start}`,
    is: pickle,
  })),
  { at: 4, magic: 'TFL3', is: 'a TensorFlow Lite model: tf2onnx turns it into ONNX' },
  { at: 4, magic: 'ORTM', is: "a model in onnxruntime's own format (.ort): the ONNX file it was made of can be read" },
  { magic: 'GGUF', is: 'a GGUF file' },
  { magic: '%PDF-', is: 'a PDF document' },
  { magic: '\x89PNG', is: 'an image (PNG)' },
]

/** What a zip holds is told by the names in its directory, which stands at its end. */
function zipKind(bytes: Uint8Array): string {
  const names = latin(bytes, 0, head) + latin(bytes, bytes.length - tail, bytes.length)
  if (names.includes('/data.pkl')) return `a PyTorch file (.pt): ${torch}`
  if (names.includes('model.weights.h5')) return `a Keras file (.keras): ${keras}`
  if (names.includes('.npy')) return 'a NumPy archive (.npz)'
  return packed('zip')
}

/** A header's length that the file has room for, and the JSON object that begins behind it. */
function isSafetensors(bytes: Uint8Array): boolean {
  if (bytes.length < 10 || bytes[8] !== 0x7b) return false
  for (let i = 4; i < 8; i++) if (bytes[i] !== 0) return false
  return bytes[0] + bytes[1] * 2 ** 8 + bytes[2] * 2 ** 16 + bytes[3] * 2 ** 24 <= bytes.length - 8
}

/** The version of the format (field 1), and then one of the fields 2 to 8 of a ModelProto. */
function isOnnx(bytes: Uint8Array): boolean {
  return bytes[0] === 0x08 && bytes[1] > 0 && bytes[1] < 32 && bytes[2] > 0x10 && bytes[2] <= 0x42
}

function textKind(start: string): string | undefined {
  const text = start.replace(/^(\xef\xbb\xbf)?\s+|^\xef\xbb\xbf/, '')
  if (/^<(!doctype html|html|head|body)\b/i.test(text)) {
    return 'an HTML page: the download gave a page about the file, or an error, and not the file'
  }
  if (/^<(\?xml|!--)/.test(text)) return 'an XML text'
  if (text.length < 4 || /[^\s\u0020-\u007e]/.test(text)) return undefined
  return `${/^[[{]/.test(text) ? 'a JSON text' : 'a text'} that begins ${describe(text.slice(0, 40))}`
}

/** Bytes as characters, one each; places outside the file are left out. For a few letters it is faster than a decoder. */
export function latin(bytes: Uint8Array, from: number, to: number): string {
  let text = ''
  for (let i = Math.max(0, from); i < to && i < bytes.length; i++) text += String.fromCharCode(bytes[i])
  return text
}
