/** Texts as bytes, by Node's own means where a test runner has taken the names of the web away. */
import { Buffer, process } from './node.ts'

/** The bytes of a text in UTF-8. */
export function encodeUtf8(text: string): Uint8Array {
  return Buffer.from(text)
}

/** The class that decodes; undefined where this runtime has none. */
export function textDecoder(): typeof TextDecoder | undefined {
  if (typeof TextDecoder !== 'undefined') return TextDecoder
  // jsdom takes the name away, Node's module still has it.
  return process.getBuiltinModule?.('node:util')?.TextDecoder as unknown as typeof TextDecoder | undefined
}
