/** Texts as bytes, in pages and edge runtimes. */
const { TextEncoder: Encoder, TextDecoder: Decoder } = globalThis

let encoder: InstanceType<typeof TextEncoder> | undefined

export function encodeUtf8(text: string): Uint8Array {
  encoder ??= new Encoder()
  return encoder.encode(text)
}

export function textDecoder(): typeof TextDecoder | undefined {
  return Decoder
}
