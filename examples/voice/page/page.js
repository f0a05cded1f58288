/** The page: a microphone or a sound, a call with it, and what the server says. */

import { Call } from './call.js'
import { Picture } from './picture.js'

const RATE = 16000
const element = (id) => document.getElementById(id)
const picture = new Picture(element('picture'))
let now

function say(text, state) {
  element('state').textContent = text
  element('state').dataset.state = state
}

function options() {
  return Object.fromEntries(new FormData(element('options')))
}

/** Begins a call with what `connect` puts into the recorder. */
async function begin(connect) {
  stop()
  const context = new AudioContext({ sampleRate: RATE })
  now = { context }
  try {
    await context.audioWorklet.addModule('recorder.js')
    const recorder = new AudioWorkletNode(context, 'recorder', { numberOfOutputs: 0 })
    const release = await connect(context, recorder)
    picture.clear()
    element('segments').replaceChildren()
    const call = new Call(options(), { state: onState, frame: onFrame, event: onEvent })
    recorder.port.onmessage = ({ data }) => {
      picture.wave(new Int16Array(data))
      call.push(data)
    }
    Object.assign(now, { call, release })
    element('stop').disabled = false
  } catch (error) {
    stop()
    say(error.message, 'failed')
  }
}

function stop() {
  now?.release?.()
  now?.call?.end()
  now?.context.close()
  now = undefined
  element('stop').disabled = true
}

function onState(text) {
  say(text, 'idle')
}

let trip = 0
function onFrame(frame, probability, milliseconds) {
  picture.probability(frame, probability)
  // An average over about the last second.
  trip += (milliseconds - trip) / (frame < 30 ? frame + 1 : 30)
  element('trip').textContent = `${trip.toFixed(1)} ms`
}

function onEvent(event) {
  picture.event(event)
  const isStart = event.type === 'speech-start'
  say(isStart ? 'somebody speaks' : 'listening', isStart ? 'speech' : 'idle')
  const list = element('segments')
  if (isStart) list.prepend(Object.assign(document.createElement('li'), { textContent: `${event.at.toFixed(2)} s` }))
  else if (list.firstChild) {
    const start = Number.parseFloat(list.firstChild.textContent)
    list.firstChild.textContent = `${start.toFixed(2)} – ${event.at.toFixed(2)} s`
    const length = Object.assign(document.createElement('span'), { textContent: `${(event.at - start).toFixed(2)} s` })
    list.firstChild.append(length)
  }
}

element('microphone').addEventListener('click', () =>
  begin(async (context, recorder) => {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: false, noiseSuppression: false },
    })
    context.createMediaStreamSource(stream).connect(recorder)
    return () => {
      for (const track of stream.getTracks()) track.stop()
    }
  }),
)

element('sample').addEventListener('click', () =>
  begin(async (context, recorder) => {
    const samples = new Int16Array(await (await fetch('speech.pcm')).arrayBuffer())
    const buffer = context.createBuffer(1, samples.length, RATE)
    buffer.copyToChannel(
      Float32Array.from(samples, (value) => value / 32768),
      0,
    )
    const source = new AudioBufferSourceNode(context, { buffer })
    source.connect(recorder)
    source.connect(context.destination)
    source.addEventListener('ended', stop)
    source.start()
    return () => source.disconnect()
  }),
)

element('stop').addEventListener('click', stop)

for (const input of element('options').elements) {
  const show = () => {
    const output = input.parentElement?.querySelector('output')
    if (output) output.textContent = input.value
    if (input.name === 'threshold') picture.threshold = Number(input.value)
  }
  input.addEventListener('input', show)
  show()
}

async function look() {
  const health = await fetch('health')
    .then((answer) => answer.json())
    .catch(() => undefined)
  const milliseconds = (value) => (value ? `${value.toFixed(1)} ms` : '–')
  element('calls').textContent = health?.calls ?? 'gone'
  element('p50').textContent = milliseconds(health?.latencyMs?.p50)
  element('p99').textContent = milliseconds(health?.latencyMs?.p99)
  element('batch').textContent = health?.batcher?.meanBatch?.toFixed(1) ?? '–'
}
setInterval(look, 1000)
look()
