/** What runtimes beside Node may lack: asked for when it is needed, and a missing name says so there, not when the package is imported. */
import { failShape, RNNError } from './errors.ts'
import { hasSharedMemory, newFloats, newSharedFloats } from './intrinsics/captured.ts'
import { trueLength } from './intrinsics/typed-arrays.ts'
import { sharesMemory, sharingHint } from './platform/process.ts'
import { textDecoder } from './platform/text.ts'

/** The error of what cannot be done without a global. */
function missing(name: string, what: string, hint = ''): RNNError {
  return new RNNError('ERR_RNN_BACKEND', `${what} needs ${name}, and this runtime has none${hint}`)
}

/** Throws where there is no memory that threads share. */
export function checkSharing(): void {
  if (!hasSharedMemory || !sharesMemory) throw missing('SharedArrayBuffer', 'share()', sharingHint)
}

/**
 * Memory of a live stream's frames: of the kind that nobody can take away, where such memory goes to other threads. In a page that is not isolated
 * it goes nowhere, not even as a copy, and frames lie in common memory.
 */
export function newFrames(length: number): Float32Array<ArrayBufferLike> {
  return sharesMemory ? newSharedFloats(length) : newFloats(length)
}

/** Throws where common memory of a stream was taken away. */
export function checkFrames(frames: Float32Array | Uint8Array, length: number): void {
  if (trueLength(frames) !== length) failShape("the buffer of a stream's arrays must not be transferred")
}

let decoder: InstanceType<typeof TextDecoder> | undefined

/**
 * The text of bytes in UTF-8; a byte order mark is part of it.
 *
 * @param refuse throws the error of bytes that are none
 * @throws RNNError `ERR_RNN_BACKEND` where the runtime has no decoder
 */
export function decodeUtf8(bytes: Uint8Array, refuse: () => never): string {
  const Decoder = textDecoder()
  if (!Decoder) throw missing('TextDecoder', 'reading a model file')
  try {
    decoder ??= new Decoder('utf-8', { fatal: true, ignoreBOM: true })
    return decoder.decode(bytes)
  } catch {
    return refuse()
  }
}
