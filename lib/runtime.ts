/** What runtimes beside Node may lack: asked for when it is needed, and a missing name says so there, not when the package is imported. */
import process from 'node:process'
import { RNNError } from './errors.ts'

/** The error of what cannot be done without a global. */
export function missing(name: string, what: string): RNNError {
  return new RNNError('ERR_RNN_BACKEND', `${what} needs ${name}, and this runtime has none`)
}

/** Milliseconds since some moment. */
export function now(): number {
  return typeof performance === 'undefined' ? Date.now() : performance.now()
}

let decoder: InstanceType<typeof TextDecoder> | undefined

/**
 * The text of bytes in UTF-8; a byte order mark is part of it.
 *
 * @throws TypeError for bytes that are none; RNNError `ERR_RNN_BACKEND` where the runtime has no decoder
 */
export function decodeUtf8(bytes: Uint8Array): string {
  // jsdom takes the name away, Node's module still has it.
  const Decoder = typeof TextDecoder === 'undefined' ? fromUtil() : TextDecoder
  decoder ??= new Decoder('utf-8', { fatal: true, ignoreBOM: true })
  return decoder.decode(bytes)
}

function fromUtil(): typeof TextDecoder {
  const util = process.getBuiltinModule?.('node:util')
  if (!util?.TextDecoder) throw missing('TextDecoder', 'reading a model file')
  return util.TextDecoder as typeof TextDecoder
}
