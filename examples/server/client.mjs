/** A client of the live route: sends days, receives forecasts in the same order, and knows where its stream stands. */

import WebSocket from 'ws'

/**
 * @param url `ws://host:port`
 * @returns hello: what the stream has seen and said last; ask: a day → its answer; close; closed: resolves to the close code
 */
export async function connect(url, name) {
  const socket = new WebSocket(`${url}/streams/${name}`)
  const waiting = []
  const closed = new Promise((resolve) => {
    socket.once('close', (code) => {
      for (const { reject } of waiting) reject(new Error(`connection closed (${code})`))
      resolve(code)
    })
  })
  socket.on('error', (error) => waiting.shift()?.reject(error))
  socket.on('message', (data) => waiting.shift()?.resolve(JSON.parse(data)))
  const next = () =>
    socket.readyState > WebSocket.OPEN
      ? Promise.reject(new Error('connection closed'))
      : new Promise((resolve, reject) => waiting.push({ resolve, reject }))
  const hello = await next()
  const ask = (day) => {
    socket.send(typeof day === 'string' ? day : JSON.stringify(day))
    return next()
  }
  return { hello, ask, closed, close: () => socket.close(), socket }
}
