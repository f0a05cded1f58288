/** The one table of what is timed; a row more here is a row more in every result. */

export const cells = ['rnn', 'gru', 'lstm']
export const gates = { rnn: 1, gru: 3, lstm: 4 }

const all = ['onnxruntime', 'onednn', 'pytorch', 'tfjs']
const fast = ['onnxruntime', 'onednn']

// Each row stands for every cell. `form`: 'stream' steps a live sequence whose state is fed back, 'forward' is one call on
// T steps from a state of zeros, 'nested' the same from nested arrays. `H` lists sizes; I is H where it is left out.
// `quick` lists the sizes that a quick run keeps. `threads` are timed beside one thread where the row asks.
const rows = [
  { group: 'stream', form: 'stream', H: [8, 16, 32, 64, 128, 256, 512], quick: [8, 32, 128, 512], rivals: all },
  { group: 'tiny', form: 'nested', I: 3, H: [4], T: 3, quick: [4], rivals: all },
  { group: 'sequence', form: 'forward', H: [32, 64, 128, 256, 512], T: 28, quick: [128], rivals: all },
  { group: 'sequence', form: 'forward', H: [32, 64, 128], T: 100, quick: [32, 128], rivals: all },
  { group: 'sequence', form: 'forward', H: [256, 512], T: 100, quick: [256], rivals: all, threads: [2] },
  { group: 'batch', form: 'forward', H: [64, 128, 256], T: 100, B: 32, quick: [256], rivals: all, threads: [2] },
  { group: 'batch', form: 'forward', H: [512], T: 50, B: 32, rivals: all, threads: [2] },
  { group: 'batch', form: 'forward', H: [64, 128, 256, 512], T: 50, B: 64, quick: [128], rivals: all, threads: [2] },
  // Sizes that fill no vector, each between two that do.
  { group: 'odd', form: 'stream', H: [64, 67, 80, 96, 100, 112, 192, 200, 208], quick: [96, 100, 112], best: true },
  { group: 'odd', form: 'forward', H: [64, 67, 80, 96, 100, 112, 192, 200, 208], T: 100, best: true },
  { group: 'odd', form: 'forward', H: [64, 67, 80, 96, 100, 112, 192, 200, 208], T: 28, B: 32, best: true },
]

// How the cost grows; only where the run asks for it.
const growthRows = [
  { group: 'growth-H', form: 'stream', H: [8, 16, 32, 64, 128, 256, 512, 1024, 2048], rivals: fast, best: true },
  { group: 'growth-T', form: 'forward', H: [128], T: [1, 3, 10, 30, 100, 300, 1000], rivals: fast, best: true },
  {
    group: 'growth-B',
    form: 'forward',
    H: [128],
    T: 28,
    B: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    rivals: fast,
    best: true,
  },
]

// Every weight format; only where the run asks for it. An LSTM's rivals are those that compute with integers of 8 bits.
const formatRows = [
  { group: 'stream', form: 'stream', H: [16, 32, 64, 128, 256, 512, 1024], quick: [128, 256] },
  { group: 'batch', form: 'forward', H: [256, 512], T: 20, B: 32, quick: [256] },
]

/** Which sizes each odd size is held against. */
export const neighbours = { 67: [64, 80], 100: [96, 112], 200: [192, 208] }

const list = (value, otherwise) => (value === undefined ? otherwise : [value].flat())

function expand(row) {
  const shapes = []
  for (const H of list(row.H)) {
    for (const T of list(row.T, [1])) {
      for (const B of list(row.B, [1])) {
        for (const cell of cells) {
          const { group, form, rivals = [], threads = [], best = false } = row
          const I = row.I ?? H
          const quick = row.quick?.includes(H) ?? false
          const size = form === 'stream' ? `H=${H}` : `T=${T} B=${B} H=${H}${I === H ? '' : ` I=${I}`}`
          const name = `${cell} ${group} ${size}`
          shapes.push({ name, group, form, cell, I, H, T, B, rivals, threads, best, quick })
        }
      }
    }
  }
  return shapes
}

/** The usual shapes, those of the growth plots, and those of the weight formats. */
export const shapes = rows.flatMap(expand)
export const growthShapes = growthRows.flatMap(expand)
export const formatShapes = formatRows.flatMap(expand)

/** Multiplications and additions of one call, two a weight. */
export const flops = ({ cell, I, H, T, B }) => 2 * gates[cell] * H * (I + H) * T * B

/** Whether it is timed with its results in tensors that are there, too. */
export const withOut = ({ form, best }) => form === 'forward' && !best

/**
 * A shape passes where one of the comma-separated alternatives has all its words among the words of the shape's name:
 * `lstm stream`, `H=128`, `gru batch H=256, rnn tiny`.
 */
export function matches(shape, only) {
  if (!only) return true
  const words = shape.name.split(' ')
  return only.split(',').some((terms) => {
    const wanted = terms.trim().split(/\s+/)
    return wanted.every((term) => words.includes(term))
  })
}
