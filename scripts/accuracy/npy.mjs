/** Arrays as NumPy's `save` writes them: float32 or float64, little-endian, rows first. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
import { Tensor } from 'native-rnn'

/** @param {Buffer} bytes */
export function readNpy(bytes) {
  if (bytes.subarray(0, 6).toString('latin1') !== '\x93NUMPY') throw new Error('The file is no .npy file')
  const isOld = bytes[6] === 1
  const length = isOld ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8)
  const start = (isOld ? 10 : 12) + length
  const header = bytes.subarray(isOld ? 10 : 12, start).toString('latin1')
  const [, type] = /'descr':\s*'([^']*)'/.exec(header) ?? []
  const [, sizes] = /'shape':\s*\(([^)]*)\)/.exec(header) ?? []
  const width = { '<f4': 4, '<f8': 8 }[type]
  if (width === undefined || sizes === undefined || /'fortran_order':\s*True/.test(header)) {
    throw new Error(`The .npy file must be of float32 or float64, little-endian, in C order; it says ${header.trim()}`)
  }
  const shape = sizes
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number)
  const count = shape.reduce((product, size) => product * size, 1)
  if (bytes.length - start !== count * width) throw new Error(`The .npy file has not the ${count} values of its shape`)
  const view = new DataView(bytes.buffer, bytes.byteOffset + start)
  const value = (i) => (width === 4 ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true))
  return new Tensor(
    Float32Array.from({ length: count }, (_, i) => value(i)),
    shape,
  )
}
