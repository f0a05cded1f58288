/** Results in a form that can be compared: tensors and arrays by their bits. */
export function bits(value) {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (!value || typeof value !== 'object') return String(value)
  return Object.entries(value)
    .map(([key, part]) => `${key}:${bits(part)}`)
    .join()
}
