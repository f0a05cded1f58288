/** What the machine allows: measures it in the run itself and says how fast a shape could be at most. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { Child, compile } from './child.mjs'
import { flops, gates } from './shapes.mjs'

const flags = {
  avx512: ['-mavx512f', '-mavx512vl', '-mavx512dq', '-mavx512bw', '-mprefer-vector-width=512'],
  avx2: ['-mavx2', '-mfma'],
  neon: [],
  portable: [],
}

// What only some processors of an instruction set have, by the system's word for it.
const optional = { avx512: ['avx512_vnni', '-mavx512vnni'], neon: ['asimddp', '-march=armv8.2-a+dotprod'] }

/** Whether there is a probe of an instruction set: it is a program of C++, so there is none for WebAssembly and TypeScript. */
export const hasProbe = (isa) => Object.hasOwn(flags, isa)

function flagsOf(isa) {
  const [word, flag] = optional[isa] ?? []
  if (!word || !existsSync('/proc/cpuinfo')) return flags[isa]
  const has = readFileSync('/proc/cpuinfo', 'utf8').split(/\s+/).includes(word)
  return has ? [...flags[isa], flag] : flags[isa]
}

/** The caches of the first core, in bytes; an empty object where the system does not say. */
export function cacheSizes() {
  const sizes = {}
  const folder = '/sys/devices/system/cpu/cpu0/cache'
  const read = (index, file) => readFileSync(`${folder}/${index}/${file}`, 'utf8').trim()
  try {
    for (const index of readdirSync(folder).filter((name) => name.startsWith('index'))) {
      if (read(index, 'type') !== 'Instruction')
        sizes[`L${read(index, 'level')}`] = parseInt(read(index, 'size'), 10) * 1024
    }
  } catch {
    // Not Linux, or a container that hides them: shapes then carry no name of a cache.
  }
  return sizes
}

/** The level whose cache holds so many bytes. */
export function levelOf(bytes, caches) {
  const fits = Object.entries(caches)
    .sort()
    .find(([, size]) => bytes <= size)
  return fits ? fits[0] : Object.keys(caches).length > 0 ? 'DRAM' : '?'
}

/**
 * The part of so many bytes that a step has to read from where they lie, at least: what the next smaller cache holds may be there from the
 * step before, for who walks the weights back and forth.
 */
export function readAgain(bytes, caches) {
  const below = Math.max(0, ...Object.values(caches).filter((size) => size < bytes))
  return (bytes - below) / bytes
}

/** The bytes of weights that every step of the recurrence has to read again. */
export const streamedBytes = ({ cell, I, H, form }) => 4 * gates[cell] * H * (form === 'stream' ? I + H : H)

/**
 * The nanoseconds that a call needs at least, P and bandwidth in operations a nanosecond.
 * A stream's step reads all weights. A sequence's input product is bound by arithmetic, each step of its recurrence by
 * arithmetic or by the reading of the recurrent weights; done one after the other, the two add up.
 */
export function limitOf(shape, peak, bandwidth) {
  const { cell, I, H, T, B, form } = shape
  const perRow = 2 * gates[cell] * H
  if (form === 'stream') return Math.max(flops(shape) / peak, (perRow * (I + H)) / bandwidth)
  return (T * B * perRow * I) / peak + T * Math.max((B * perRow * H) / peak, (perRow * H) / bandwidth)
}

/** The same, where no step can follow the one before faster than a chain of dependent operations allows. */
export function chainedLimitOf(shape, peak, bandwidth, chain) {
  const { cell, I, T, B, form } = shape
  if (form === 'stream') return Math.max(limitOf(shape, peak, bandwidth), chain)
  const ahead = (T * B * 2 * gates[cell] * shape.H * I) / peak
  return ahead + Math.max(limitOf(shape, peak, bandwidth) - ahead, T * chain)
}

/** Activations that a step's result passes one after another: the gates', then the cell's own. */
export const activations = { rnn: 1, gru: 2, lstm: 2 }

/** The same if the input product could hide entirely behind the reading of the recurrent weights. */
export function overlappedLimitOf(shape, peak, bandwidth) {
  const { cell, H, T, form } = shape
  if (form === 'stream') return limitOf(shape, peak, bandwidth)
  return Math.max(flops(shape) / peak, (T * 2 * gates[cell] * H * H) / bandwidth)
}

/**
 * The nanoseconds that a call needs at least with weights of so many bytes each: all arithmetic at `rate`, or the reading of what every
 * step has to read again, whichever takes longer. `bandwidth` is that of f32 weights from as many bytes, two operations each.
 */
export function formatLimitOf(shape, bytes, rate, bandwidth) {
  const reading = (shape.T * formatBytes(shape, bytes)) / (2 * bandwidth)
  return Math.max(flops(shape) / rate, reading)
}

/** The bytes that every step has to read again where a weight has so many. */
export const formatBytes = (shape, bytes) => (streamedBytes(shape) * bytes) / 4

/** Opens the probe of one ISA. */
export function openLimits(isa) {
  const child = new Child(compile('limits.cpp', `limits-${isa}`, ['-ffp-contract=fast', ...flagsOf(isa)]))
  return {
    chain: async (cell) => Number(await child.ask(`chain ${activations[cell]}`)),
    peak: async () => Number(await child.ask('peak')),
    dots: async () => Number(await child.ask('dots')),
    // Under 16 KiB the loop's own start would be measured, not the cache.
    bandwidth: async (bytes) => Number(await child.ask(`stream ${Math.max(bytes, 16384)}`)),
    close: () => child.close(),
  }
}

/** P, of 8-bit integers too, and the bandwidth of each level, medians of several probes, in GFLOP/s of f32 weights; the chain from step to step in ns. */
export async function levels(limits, caches, rounds = 9) {
  const sizes = Object.fromEntries(Object.entries(caches).map(([level, size]) => [level, size / 2]))
  if (caches.L3) sizes.DRAM = Math.min(caches.L3 * 4, 256 << 20)
  const found = { P: await medianOf(rounds, () => limits.peak()), dots: await medianOf(rounds, () => limits.dots()) }
  const chains = {
    rnn: await medianOf(rounds, () => limits.chain('rnn')),
    lstm: await medianOf(rounds, () => limits.chain('lstm')),
  }
  for (const [level, bytes] of Object.entries(sizes)) {
    found[level] = await medianOf(level === 'DRAM' ? 3 : rounds, () => limits.bandwidth(bytes))
  }
  return { ...found, chains }
}

async function medianOf(rounds, measure) {
  const values = []
  for (let i = 0; i < rounds; i++) values.push(await measure())
  return median(values)
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
