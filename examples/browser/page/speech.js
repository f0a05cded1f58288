/** Silero VAD on a microphone or on the sound of examples/vad, frame by frame; the picture and the recorder are the voice server's. */

import { Model } from 'native-rnn'
import { CONTEXT, decodeWav, FRAME, RATE, streamOptions } from '/vad/audio.mjs'
import { SpeechDetector } from '/vad/detector.mjs'
import { Picture } from '/voice/picture.js'

const element = (id) => document.getElementById(id)
const picture = new Picture(element('picture'))

function say(state, text) {
  element('state').dataset.state = state
  element('state').textContent = text
}

const model = await Model.load('/models/silero_vad_16k_op15.onnx', { constants: { sr: RATE } }).catch((error) => {
  say('failed', 'the model is not here: node scripts/fetch-models.mjs')
  throw error
})
element('backend').textContent = model.backend

/** One stretch of listening: hears blocks of 512 samples of 16 bits. */
class Listener {
  #stream = model.stream(streamOptions)
  #detector = new SpeechDetector()
  #heard = 0
  #ms = 0

  hear(block) {
    const { input } = this.#stream.inputs
    input.copyWithin(0, FRAME)
    for (let i = 0; i < FRAME; i++) input[CONTEXT + i] = block[i] / 32768
    const began = performance.now()
    const [probability] = this.#stream.step().output
    this.#ms += performance.now() - began
    picture.wave(block)
    picture.probability(this.#heard++, probability)
    this.#tell(this.#detector.push(probability))
    element('frames').textContent = this.#heard
    element('time').textContent = `${((1000 * this.#ms) / this.#heard).toFixed(0)} µs`
  }

  finish() {
    this.#tell(this.#detector.finish())
    this.#stream.dispose()
  }

  #tell(event) {
    if (!event) return
    picture.event(event)
    const speaks = event.type === 'speech-start'
    say(speaks ? 'speech' : 'silence', speaks ? 'speech' : 'silence')
    if (speaks) {
      const entry = document.createElement('li')
      entry.innerHTML = `<b>${event.at.toFixed(2)} s</b><span>…</span>`
      element('segments').append(entry)
    } else element('segments').lastChild.lastChild.textContent = `${event.at.toFixed(2)} s`
  }
}

/** Ends what is going on. */
let end = () => {}

function begin() {
  end()
  picture.clear()
  element('segments').replaceChildren()
  element('stop').disabled = false
  say('silence', 'listening')
  return new Listener()
}

function ended(listener) {
  listener.finish()
  end = () => {}
  element('stop').disabled = true
  say('idle', 'ready')
}

element('microphone').addEventListener('click', async () => {
  const context = new AudioContext({ sampleRate: RATE })
  try {
    const sound = await navigator.mediaDevices.getUserMedia({ audio: true })
    await context.audioWorklet.addModule('/voice/recorder.js')
    const listener = begin()
    const recorder = new AudioWorkletNode(context, 'recorder')
    recorder.port.onmessage = ({ data }) => listener.hear(new Int16Array(data))
    context.createMediaStreamSource(sound).connect(recorder)
    end = () => {
      recorder.port.onmessage = null
      for (const track of sound.getTracks()) track.stop()
      context.close()
      ended(listener)
    }
  } catch (error) {
    context.close()
    say('failed', error.message)
  }
})

// The sound is heard as fast as it is spoken, and played where the browser may.
element('sample').addEventListener('click', async () => {
  const samples = decodeWav(new Uint8Array(await (await fetch('/vad/speech.wav')).arrayBuffer()))
  const listener = begin()
  const context = new AudioContext()
  const sound = context.createBuffer(1, samples.length, RATE)
  sound.copyToChannel(samples, 0)
  const source = new AudioBufferSourceNode(context, { buffer: sound })
  source.connect(context.destination)
  source.start()
  const began = performance.now()
  let at = 0
  const timer = setInterval(
    () => {
      const until = Math.min(samples.length, ((performance.now() - began) * RATE) / 1000)
      for (; at + FRAME <= until; at += FRAME)
        listener.hear(Int16Array.from(samples.subarray(at, at + FRAME), (value) => Math.round(value * 32767)))
      if (at + FRAME > samples.length) end()
    },
    FRAME / (RATE / 1000),
  )
  end = () => {
    clearInterval(timer)
    source.stop()
    context.close()
    ended(listener)
  }
})
element('stop').addEventListener('click', () => end())
say('idle', 'ready')
document.body.dataset.ready = 'yes'
