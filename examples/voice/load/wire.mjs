/** WebSocket as a load generator wants it: messages made once and sent many times, answers read without a library; a third of the cost of one. */

import { connect } from 'node:net'

/** The bytes of a client's message; a mask of zeros leaves the payload as it is. */
export function frameOf(payload, isText = false) {
  const isLong = payload.length > 125
  const head = Buffer.alloc(isLong ? 8 : 6)
  head[0] = isText ? 0x81 : 0x82
  head[1] = 0x80 | (isLong ? 126 : payload.length)
  if (isLong) head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}

/** Opens a WebSocket; `onMessage` hears texts, `onClose` the close code, the status of an HTTP refusal, or 1006. */
export function openWire(host, port, path, { onMessage, onClose }) {
  const socket = connect({ host, port, noDelay: true })
  let code = 1006
  let rest
  let isOpen = false
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  )
  function read(data) {
    let bytes = rest ? Buffer.concat([rest, data]) : data
    rest = undefined
    if (!isOpen) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end < 0) {
        rest = bytes
        return
      }
      const status = Number(bytes.toString('latin1', 9, 12))
      if (status !== 101) {
        code = status
        socket.destroy()
        return
      }
      isOpen = true
      bytes = bytes.subarray(end + 4)
    }
    let at = 0
    while (bytes.length - at >= 2) {
      const short = bytes[at + 1]
      const head = short === 126 ? 4 : 2
      if (bytes.length - at < head) break
      const length = short === 126 ? bytes.readUInt16BE(at + 2) : short
      if (bytes.length - at < head + length) break
      const kind = bytes[at] & 15
      const from = at + head
      if (kind === 1) onMessage(bytes.toString('latin1', from, from + length))
      if (kind === 8) {
        code = length >= 2 ? bytes.readUInt16BE(from) : 1005
        const close = frameOf(bytes.subarray(from, from + Math.min(2, length)))
        close[0] = 0x88
        socket.end(close)
      }
      at = from + length
    }
    if (at < bytes.length) rest = bytes.subarray(at)
  }
  socket.on('data', read)
  socket.on('error', () => {})
  socket.on('close', () => onClose(code))
  return socket
}
