/** SHA-256, from Node's crypto; it alone knows that loading that takes milliseconds, and waits until a hash is wanted. */
import process from 'node:process'

/** The 32 bytes of the SHA-256 of all parts in their order. */
export function sha256(parts: Iterable<string | Uint8Array>): Uint8Array {
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
