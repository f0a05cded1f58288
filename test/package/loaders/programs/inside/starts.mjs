// Starts what the address asks for (?worker, ?shared, ?service, ?worklet of inside.js, ?asked of asked.js), and writes into the title what it found.
const answer = (from) =>
  new Promise((resolve) => {
    from.onmessage = ({ data }) => resolve(data)
  })

/** A script that cannot be had says so by an event. */
const failed = (from) =>
  new Promise((_, reject) => {
    from.onerror = ({ message }) => reject(new Error(message ?? 'the script cannot be run'))
  })

const kind = new URLSearchParams(location.search).get('type') ?? 'module'
const starts = {
  worker() {
    const worker = new Worker('inside.js', { type: kind })
    return Promise.race([answer(worker), failed(worker)])
  },
  asked() {
    const worker = new Worker('asked.js', { type: kind })
    worker.postMessage('at once')
    return Promise.race([answer(worker), failed(worker)])
  },
  shared() {
    const worker = new SharedWorker('inside.js', { type: kind })
    return Promise.race([answer(worker.port), failed(worker)])
  },
  async service() {
    const { installing, waiting, active } = await navigator.serviceWorker.register('inside.js', { type: kind })
    const worker = active ?? waiting ?? installing
    while (worker.state !== 'activated') await new Promise((resolve) => setTimeout(resolve, 20))
    const answered = answer(navigator.serviceWorker)
    worker.postMessage(0)
    return answered
  },
  async worklet() {
    const context = new OfflineAudioContext(1, 128, 48_000)
    await context.audioWorklet.addModule('inside.js')
    return answer(new AudioWorkletNode(context, 'inside').port)
  },
}
const [where] = new URLSearchParams(location.search).keys()
starts[where]()
  .catch((error) => ({ error: String(error) }))
  .then((found) => {
    document.title = JSON.stringify(found)
  })
