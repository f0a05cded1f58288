/** Runs a subject in each format and holds it against float32. */

/**
 * A model and something it is asked.
 * @typedef {object} Subject
 * @property {string} name
 * @property {string} decision what a decision is, for people
 * @property {string} unit of the numbers
 * @property {(format: import('native-rnn').PrecisionOptions & { backend?: import('native-rnn').BackendName }) => Answer} run
 */

/**
 * What a model said: its decisions, the numbers behind them, how well that fits the truth where it is known, and the bytes of its weights.
 * @typedef {{ decisions: ArrayLike<number | boolean>, numbers: ArrayLike<number>, quality?: string, bytes: number }} Answer
 */

/** @typedef {{ format: string, bytes: number, changed: number, worst: number, mean: number, quality: string | undefined }} Row */
/** @typedef {{ name: string, decision: string, unit: string, count: number, rows: Row[] }} Report */

/** @type {readonly Required<import('native-rnn').PrecisionOptions>[]} */
const formats = [
  { weights: 'f32', activations: 'f32' },
  { weights: 'f16', activations: 'f32' },
  { weights: 'bf16', activations: 'f32' },
  { weights: 'int8', activations: 'f32' },
  { weights: 'int8', activations: 'int8' },
]

const nameOf = ({ weights, activations }) => (activations === 'int8' ? 'int8 × int8' : weights)

/**
 * @param {Subject} subject
 * @returns {Report}
 */
export function compared({ name, decision, unit, run }) {
  const plain = run(formats[0])
  const rows = formats.map((format) => {
    const { decisions, numbers, quality, bytes } = format.weights === 'f32' ? plain : run(format)
    let [changed, worst, sum] = [0, 0, 0]
    for (let i = 0; i < plain.decisions.length; i++) if (decisions[i] !== plain.decisions[i]) changed++
    for (let i = 0; i < plain.numbers.length; i++) {
      const difference = Math.abs(numbers[i] - plain.numbers[i])
      worst = Math.max(worst, difference)
      sum += difference
    }
    const mean = sum / Math.max(1, plain.numbers.length)
    return { format: nameOf(format), bytes, changed, worst, mean, quality }
  })
  return { name, decision, unit, count: plain.decisions.length, rows }
}
