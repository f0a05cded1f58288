// The same in a worker, on a layer whose weights the main thread shares.

import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { backendInfo, LSTM, RNN } from 'native-rnn'
import { frames, results } from './results.mjs'

if (isMainThread) {
  const shared = new LSTM(5, 9, { seed: 3 })
  const worker = new Worker(new URL(import.meta.url), { workerData: shared.share() })
  worker.once('error', (error) => {
    throw error
  })
  worker.once('message', (found) => {
    const here = shared.forward(frames).output.data
    if (here.some((value, i) => value !== found.shared[i]))
      throw new Error('the shared layer gives other bits in a worker')
    console.log(JSON.stringify(found.results))
    worker.terminate()
  })
} else {
  const shared = LSTM.fromShared(workerData).forward(frames).output.data
  parentPort.postMessage({ shared, results: await results({ backendInfo, LSTM, RNN }) })
}
