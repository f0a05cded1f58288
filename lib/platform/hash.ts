/** SHA-256, from Node's crypto; it alone knows that loading that takes milliseconds, and waits until a hash is wanted. */
import { process } from './node.ts'

const { isArray } = Array

/** The 32 bytes of the SHA-256 of all parts in their order. Arrays are read by index, for their iterator may have been replaced. */
export function sha256(parts: readonly (string | Uint8Array)[] | Generator<string | Uint8Array>): Uint8Array {
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256')
  if (isArray(parts)) for (let i = 0; i < parts.length; i++) hash.update(parts[i])
  else for (const part of parts) hash.update(part)
  return hash.digest()
}
