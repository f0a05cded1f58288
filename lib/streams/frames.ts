/** Frames of many steps in one call, as streams take them. */
import { failShape, list, tuple } from '../errors.ts'
import { type NetworkSpec, outputSizeOf } from '../spec/spec.ts'
import { checkNotDetached, type ReadTensor, readTensor } from '../tensor/read.ts'
import { checkCount, sameShape } from '../tensor/shape.ts'
import type { TensorLike } from '../tensor/tensor.ts'

/** Reads (T, B, I), or (T, I) where B is 1; with `ranks` of 2 only that. The array may be the caller's own. */
export function readFrames(spec: NetworkSpec, frames: TensorLike, B: number, ranks: 2 | 3 = 3): ReadTensor {
  const { inputSize } = spec
  const x = readTensor(frames, 'frames')
  const rank = x.shape.length
  if (!(rank === 3 && ranks === 3) && !(rank === 2 && B === 1)) {
    const shapes =
      ranks === 2
        ? '2-D (T, I)'
        : B === 1
          ? '2-D (T, I) or 3-D (T, B, I)'
          : `3-D (T, B, I), as the stream has batch size ${B},`
    failShape(`Expected frames to be ${shapes} but received ${rank}-D tensor`)
  }
  const T = x.shape[0]
  const last = x.shape[rank - 1]
  if (last !== inputSize) {
    failShape(`frames.size(-1) must be equal to input_size. Expected ${inputSize}, got ${last}`)
  }
  const expected = rank === 2 ? [T, inputSize] : [T, B, inputSize]
  if (!sameShape(x.shape, expected)) {
    failShape(`Expected frames of shape ${tuple(expected)}, got ${list(x.shape)}`)
  }
  checkCount(T * B * outputSizeOf(spec), 'the output of these frames')
  checkNotDetached('frames', x)
  return x
}
