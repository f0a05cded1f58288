/** What the callers of the load test say, and what the model alone says to it. */

import { SpeechDetector } from '../../vad/detector.mjs'
import { FRAME, listen, loadSilero } from '../../vad/silero.mjs'
import { fromPcm16, speech, toPcm16 } from '../../vad/sound.mjs'

/** Different sounds; more callers share them. */
const SOUNDS = 24

/** Sounds as PCM16, so many seconds. */
export const makeSounds = (seconds, count = SOUNDS) =>
  Array.from({ length: count }, (_, n) => toPcm16(speech(seconds, n + 1)))

/** Of each sound the probability of each whole frame, and the events. */
export async function expectedOf(sounds) {
  const model = await loadSilero()
  return sounds.map((pcm) => {
    const probabilities = Float64Array.from(
      listen(model, fromPcm16(pcm.subarray(0, pcm.length - (pcm.length % (2 * FRAME))))),
    )
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
