// The work of the package test in whatever a page starts: a worker, a shared worker, a service worker, an audio worklet.
import { backendInfo, LSTM, RNN } from 'native-rnn'
import { results } from './results.mjs'

const warnings = []
console.warn = (text) => warnings.push(text)
const work = () =>
  results({ backendInfo, LSTM, RNN }).then(
    (found) => ({ ...found, warnings }),
    (error) => ({ error: String(error.stack) }),
  )
const { AudioWorkletProcessor, registerProcessor } = globalThis

if (typeof registerProcessor === 'function')
  registerProcessor(
    'inside',
    class extends AudioWorkletProcessor {
      constructor() {
        super()
        work().then((found) => this.port.postMessage(found))
      }
      process() {
        return true
      }
    },
  )
else if (typeof SharedWorkerGlobalScope === 'function' && globalThis instanceof SharedWorkerGlobalScope)
  addEventListener('connect', ({ ports: [port] }) => work().then((found) => port.postMessage(found)))
else if (typeof ServiceWorkerGlobalScope === 'function' && globalThis instanceof ServiceWorkerGlobalScope) {
  addEventListener('install', () => skipWaiting())
  addEventListener('message', ({ source }) => work().then((found) => source.postMessage(found)))
} else work().then((found) => postMessage(found))
