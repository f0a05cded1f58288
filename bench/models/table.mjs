/** The figures of whole models as text: a line a model while they are timed, the columns of which docs.mjs takes some. */

export const BATCH = 64
export const RIVAL = 'onnxruntime'

export const number = (value) =>
  value === undefined ? '-' : value < 9.95 ? value.toFixed(2) : value < 99.5 ? value.toFixed(1) : value.toFixed(0)
export const ratio = (ours, theirs) => number(theirs / ours || undefined)
export const title = ({ name, size }) => (size ? `${name}, ${size}` : name)

const columns = [
  ['model', 30, title],
  ['KB', 7, ({ bytes }) => number(bytes / 1024)],
  ['load ms', 9, ({ load }, own) => number(load[own])],
  ['ort', 8, ({ load }) => number(load[RIVAL])],
  ['B=1 µs', 10, ({ one }, own) => number(one[own])],
  ['ort', 8, ({ one }) => number(one[RIVAL])],
  ['×', 7, ({ one }, own) => ratio(one[own], one[RIVAL])],
  [`B=${BATCH} µs a row`, 15, ({ many }, own) => number(many[own] / BATCH)],
  ['ort', 8, ({ many }) => number(many[RIVAL] / BATCH || undefined)],
  ['×', 7, ({ many }, own) => ratio(many[own], many[RIVAL])],
  ['1,000 streams MB', 18, ({ held }) => number(held?.streams)],
  ['ort, 1 session', 16, ({ held }) => number(held?.shared)],
  ['1,000 sessions', 16, ({ held }) => number(held?.sessions)],
]
const text = (cells) =>
  cells.map(([value, width], i) => (i === 0 ? value.padEnd(width) : value.padStart(width))).join('')

/** The titles of the columns. */
export const titles = () => text(columns.map(([name, width]) => [name, width]))

/** One model's line; `own`: the backend. */
export const line = (result, own) => text(columns.map(([, width, cell]) => [cell(result, own), width]))

/** The first line: where and when this was measured. */
export function header({ cpu, cores, node, platform, version, own, rival, date, busy }) {
  const how = busy ? '; a busy machine: the best of short rounds, not medians' : ''
  const beside = rival ? `onnxruntime-node ${rival}` : 'no rival: npm run bench:rivals'
  return `${cpu}, ${cores} cores, Node ${node}, ${platform}, native-rnn ${version} on ${own}, ${beside}, ${date}; one thread each${how}`
}
