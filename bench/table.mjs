/** Results as text: one line a shape, columns that stay in place from the first line to the last. */

const microseconds = (us) => (us < 10 ? us.toFixed(3) : us < 1000 ? us.toFixed(1) : String(Math.round(us)))
const rate = (gflops) => (gflops < 10 ? gflops.toFixed(1) : gflops.toFixed(0))

/** The first lines: where and when this was measured. */
export function header(facts) {
  const caches = Object.entries(facts.caches).map(
    ([level, bytes]) => `${level} ${bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MB` : `${bytes / 1024} KB`}`,
  )
  const lines = [
    `${facts.cpu}, ${facts.cores} cores, ${caches.join(', ')}`,
    `Node ${facts.node}, ${facts.platform}, native-rnn ${facts.version} on ${facts.backend}${facts.reason ? ` (${facts.reason})` : ''}, ${facts.date}`,
    `rivals: ${facts.rivals.map(({ version }) => version).join(', ') || 'none'}`,
    ...facts.absent.map(({ name, how, why }) => `absent: ${name} (${why}); to get it: ${how}`),
  ]
  for (const [isa, found] of Object.entries(facts.limits)) {
    const { P, dots, chains, ...levels } = found
    const list = Object.entries(levels).map(([level, value]) => `${level} ${rate(value)}`)
    const integers = Number.isFinite(dots) ? `, of 8-bit integers ${rate(dots)}` : ''
    lines.push(
      `${isa}: P ${rate(P)} GFLOP/s${integers}; f32 weights streamed from ${list.join(', ')} GFLOP/s; a chain of ${chains.rnn.toFixed(0)} ns (RNN), ${chains.lstm.toFixed(0)} ns (GRU, LSTM)`,
    )
  }
  return lines.join('\n')
}

/** The contestant whose results go into tensors that are there. */
export const outName = (backend) => `${backend} ×1, out`

/** Columns: native and TypeScript as µs (GFLOP/s), rivals as µs and how many times slower than the best backend they are. */
export function columns({ backends, rivals, threads, out }) {
  const own = backends.map((name) => ({ name, width: Math.max(15, name.length + 11), title: `${name} µs (GF/s)` }))
  const more = threads.map((count) => ({
    name: `${backends[0]} ×${count}`,
    width: 14,
    title: `×${count} threads`,
    ratio: true,
    faster: true,
  }))
  const into = out ? [{ name: outName(backends[0]), width: 14, title: 'with out', ratio: true, faster: true }] : []
  const others = rivals.map((name) => ({ name, width: 17, title: `${name} µs ×`, ratio: true }))
  return [...own, ...more, ...into, ...others]
}

const nameWidth = 31
const pad = (text, width) => String(text).padStart(width)

export function titles(cols, best) {
  return `${'shape'.padEnd(nameWidth)}${cols.map(({ title, width }) => pad(title, width)).join('')}   limit/measured (${best}), with the chain`
}

export function line(result, cols, best, levelOf) {
  const base = result.times[best]
  const cells = cols.map(({ name, width, ratio, faster }) => {
    const time = result.times[name]
    if (!time) return pad('-', width)
    if (!ratio) return pad(`${microseconds(time.us)} (${rate(time.gflops)})`, width)
    const factor = faster ? base.us / time.us : time.us / base.us
    return pad(`${microseconds(time.us)} ${factor < 9.95 ? factor.toFixed(2) : factor.toFixed(0)}×`, width)
  })
  const limit = result.limits[best]
  const reached = limit
    ? `   ${limit.reached.toFixed(2)} ${levelOf(result.bytes).padEnd(4)} ${limit.reachedChained.toFixed(2)}`
    : ''
  return result.name.padEnd(nameWidth) + cells.join('') + reached
}
