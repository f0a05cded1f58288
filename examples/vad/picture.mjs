/** Draws what a voice detector heard, as SVG: the wave, the probability over it, and the times of speech behind both. */

const WIDTH = 960
const WAVE = 160
const CURVE = 90
const GAP = 14
const AXIS = 22

/** The loudest samples up and down behind each point of the picture, as one closed line. */
function outline(samples) {
  const middle = WAVE / 2
  const upper = []
  const lower = []
  for (let x = 0; x < WIDTH; x++) {
    const from = Math.floor((x * samples.length) / WIDTH)
    const part = samples.subarray(from, Math.max(from + 1, Math.floor(((x + 1) * samples.length) / WIDTH)))
    upper.push(`${x},${(middle - middle * Math.min(1, Math.max(...part))).toFixed(1)}`)
    lower.push(`${x},${(middle - middle * Math.max(-1, Math.min(...part))).toFixed(1)}`)
  }
  return `M${[...upper, ...lower.reverse()].join('L')}Z`
}

/** @returns the text of an SVG file */
export function picture({ samples, rate, probabilities, chunk, segments }) {
  const length = samples.length / rate
  const x = (seconds) => ((seconds / length) * WIDTH).toFixed(1)
  const top = WAVE + GAP
  const y = (probability) => (top + CURVE * (1 - probability)).toFixed(1)
  const height = top + CURVE + AXIS
  const bands = segments.map(
    ({ start, end }) =>
      `<rect class="speech" x="${x(start)}" y="0" width="${x(end - start)}" height="${top + CURVE}"/>`,
  )
  // The probability of a chunk is known at its end.
  const points = probabilities.map((probability, i) => `${x(((i + 1) * chunk) / rate)},${y(probability)}`)
  const every = Math.max(1, Math.ceil(length / 20))
  const ticks = Array.from({ length: Math.floor(length / every) + 1 }, (_, i) => i * every).map(
    (second) => `<text x="${x(second)}" y="${height - 6}">${second} s</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<title>Speech: ${segments.map(({ start, end }) => `${start.toFixed(2)} to ${end.toFixed(2)} s`).join(', ')}</title>
<style>.speech{fill:#fde3b0}.wave{fill:#4c6a92}.curve{fill:none;stroke:#b5413a;stroke-width:1.5}.line{stroke:#999;stroke-dasharray:4 4}text{fill:#555}</style>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${bands.join('\n')}
<path class="wave" d="${outline(samples)}"/>
<line class="line" x1="0" y1="${y(0.5)}" x2="${WIDTH}" y2="${y(0.5)}"/>
<polyline class="curve" points="${points.join(' ')}"/>
${ticks.join('\n')}
</svg>
`
}
