/** examples/vad: when somebody speaks in its sound, and the picture of it. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

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
