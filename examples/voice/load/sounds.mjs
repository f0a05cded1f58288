/** What the callers of the load test say, and what the model alone says to it. */

import { SpeechDetector } from '../../vad/detector.mjs'
import { FRAME, listen, loadSilero } from '../../vad/silero.mjs'
import { fromPcm16, speech, toPcm16 } from '../../vad/sound.mjs'

/** Different sounds; more callers share them. */
const SOUNDS = 24

/** Who speaks for longer says this long the same again: whole frames and messages. */
const REPEATED = 60

/** Sounds as PCM16, so many seconds. */
export const makeSounds = (seconds, count = SOUNDS) =>
  Array.from({ length: count }, (_, n) => toPcm16(speech(seconds, n + 1)))

/** What a caller says in so many seconds: of a longer call one minute, and how often it is said. */
export function partsOf(seconds) {
  if (seconds <= REPEATED) return { seconds, times: 1 }
  if (seconds % REPEATED) throw new Error(`a call of more than a minute lasts whole minutes, not ${seconds} s`)
  return { seconds: REPEATED, times: seconds / REPEATED }
}

/** Of each sound, said so many times, the probability of each whole frame, and the events. */
export async function expectedOf(sounds, times = 1) {
  const model = await loadSilero()
  return sounds.map((pcm) => {
    const once = fromPcm16(times > 1 ? pcm : pcm.subarray(0, pcm.length - (pcm.length % (2 * FRAME))))
    const samples = new Float32Array(times * once.length)
    for (let n = 0; n < times; n++) samples.set(once, n * once.length)
    const probabilities = Float64Array.from(listen(model, samples))
    const detector = new SpeechDetector()
    const events = []
    probabilities.forEach((probability, frame) => {
      const event = detector.push(probability)
      if (event) events.push({ ...event, frame })
    })
    const last = detector.finish()
    if (last) events.push({ ...last, frame: probabilities.length - 1 })
    return { probabilities, events }
  })
}
