/** examples/vad: when somebody speaks in its sound, and the picture of it. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

// Without a registry scripts/fetch-models.mjs has said so, and under CI it has failed.
it.skipIf(!existsSync(at('build/models/silero_vad_16k_op15.onnx')))(
  'vad finds the three sentences, and draws them',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'native-rnn-'))
    try {
      const picture = join(folder, 'speech.svg')
      const program = [at('examples/vad/index.mjs'), at('examples/vad/speech.wav'), picture]
      const { stdout, stderr, status } = spawnSync(process.execPath, program, { encoding: 'utf8' })
      expect(stderr).toBe('')
      expect(status).toBe(0)
      const times = [...stdout.matchAll(/^([\d.]+) s – ([\d.]+) s$/gm)].map(([, start, end]) => [
        Number(start),
        Number(end),
      ])
      expect(times).toHaveLength(3)
      // speak.py: the first sentence begins after 0.7 s, and 0.8 s are silent at the end.
      expect(Math.abs(times[0][0] - 0.72)).toBeLessThan(0.1)
      expect(stdout).toMatch(/^9\.2 s of sound in [\d.]+ ms/m)
      const svg = readFileSync(picture, 'utf8')
      expect(svg).toMatch(/^<svg /)
      expect(svg.match(/class="speech"/g)).toHaveLength(3)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

describe('the detector', async () => {
  const { segmentsOf, SpeechDetector } = await import('../../examples/vad/detector.mjs')
  /** Frames of a probability, so many of each. */
  const frames = (...runs: [number, number][]) => runs.flatMap(([count, value]) => new Array(count).fill(value))
  const options = { minSpeechMs: 96, minSilenceMs: 64, padMs: 0 }
  const at = (frame: number) => (frame * 512) / 16000

  it('begins at the threshold, ends below the lower one, and takes neither a short word nor a short pause', () => {
    const speech = frames(
      [2, 0],
      [4, 0.9],
      [2, 0.4],
      [1, 0.9],
      [1, 0.1],
      [3, 0.9],
      [3, 0.2],
      [2, 0.9],
      [9, 0],
      [5, 0.5],
    )
    // What stays above the lower threshold is no pause, one frame is too short for one, and two frames are too short for speech.
    expect(segmentsOf(speech, options)).toEqual([
      { start: at(2), end: at(13) },
      { start: at(27), end: at(32) },
    ])
  })

  it('pads segments within the sound, and none into the one before', () => {
    const speech = frames([1, 0], [4, 0.9], [2, 0], [4, 0.9], [2, 0])
    expect(segmentsOf(speech, { ...options, padMs: 48 })).toEqual([
      { start: 0, end: at(6.5) },
      { start: at(6.5), end: at(12.5) },
    ])
  })

  it('goes on from what it saved, wherever it is cut', () => {
    const speech = Array.from({ length: 400 }, (_, n) => Math.abs(Math.sin(n / 9) * Math.cos(n / 31)))
    const whole = new SpeechDetector(options)
    let cut = new SpeechDetector(options)
    for (const probability of speech) {
      cut = new SpeechDetector(options, JSON.parse(JSON.stringify(cut.save())))
      expect(cut.push(probability)).toEqual(whole.push(probability))
    }
    expect(cut.finish()).toEqual(whole.finish())
  })
})
