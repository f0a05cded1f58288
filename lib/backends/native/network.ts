/** The native backend: networks, streams and linear layers as calls into the addon, each by its cheapest way. */

import { collectWeights, directionsOf, hasCellState, outputSizeOf } from '../../weights/names.ts'
import type {
  Backend,
  BackendName,
  BatchCore,
  CellWeights,
  Fill,
  ForwardCall,
  ForwardResult,
  LinearCore,
  Network,
  NetworkSpec,
  Settle,
  StreamCore,
} from '../interface.ts'
import { NativeBatch } from './batch.ts'
import { type NativeThread, outcome, outOfMemory, place, threadOf } from './environment.ts'
import { NativeLinear } from './linear.ts'
import type { Addon, Bound } from './loader.ts'
import { NativeStream } from './stream.ts'
import { unwritten } from './uninitialized.ts'

// As in native/addon/network.h and weights.h.
const networkOp = {
  forwardArena: 0,
  forward: 1,
  weights: 2,
  stream: 3,
  start: 4,
  batch: 5,
  share: 6,
  dispose: 7,
} as const
const flag = { batchFirst: 1, output: 2, h0: 4, c0: 8, lengths: 16 } as const

// An output of so many floats is written where it stays; shorter ones come through the arena, without arguments.
const longOutput = 512

const cellNumbers = { rnnTanh: 0, rnnRelu: 1, gru: 2, gruResetBefore: 3, lstm: 4, lstmPeephole: 5 } as const
const directionNumbers = { forward: 0, reverse: 1, bidirectional: 2 } as const

/** One instruction set of the addon. */
export class NativeBackend implements Backend {
  readonly name: BackendName
  readonly fill: Fill = (...range) => this.#addon.uniform(...range)
  readonly #addon: Addon
  readonly #table: number

  constructor(addon: Addon, name: BackendName, table: number) {
    this.#addon = addon
    this.name = name
    this.#table = table
  }

  network(spec: NetworkSpec, weights: readonly CellWeights[]): Network {
    const thread = threadOf(this.#addon)
    const numbers = specNumbers(spec)
    const memory = packedMemory(this.#addon.networkFloats(this.#table, numbers))
    const call = this.#addon.network(this.#table, numbers, spec.threads, memory, weights.flatMap(listWeights))
    return new NativeNetwork(thread, spec, call, memory)
  }

  adopt(spec: NetworkSpec, shared: unknown): Network | undefined {
    const thread = threadOf(this.#addon)
    const numbers = specNumbers(spec)
    if (!(shared instanceof Float32Array && shared.buffer instanceof SharedArrayBuffer)) return undefined
    if (shared.length !== packedLength(this.#addon.networkFloats(this.#table, numbers))) return undefined
    return new NativeNetwork(thread, spec, this.#addon.network(this.#table, numbers, spec.threads, shared), shared)
  }

  linear(inFeatures: number, outFeatures: number, weight: Float32Array, bias?: Float32Array): LinearCore {
    const thread = threadOf(this.#addon)
    const memory = packedMemory(this.#addon.linearFloats(this.#table, inFeatures, outFeatures))
    const call = this.#addon.linear(this.#table, inFeatures, outFeatures, memory, weight, bias)
    return new NativeLinear(thread, inFeatures, outFeatures, call)
  }
}

function specNumbers(spec: NetworkSpec): number[] {
  const { cell, direction, inputSize, hiddenSize, projSize, numLayers, bias } = spec
  return [cellNumbers[cell], directionNumbers[direction], inputSize, hiddenSize, projSize, numLayers, bias ? 1 : 0]
}

/** Shared memory cannot be detached, and other threads can have it too. The addon wants 64 bytes more, to align within. */
function packedMemory(floats: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(packedLength(floats) * 4))
}

function packedLength(floats: number): number {
  return floats + 16
}

function listWeights(cell: CellWeights): (Float32Array | undefined)[] {
  return [cell.weightIh, cell.weightHh, cell.biasIh, cell.biasHh, cell.weightHr, cell.peephole]
}

class NativeNetwork implements Network {
  readonly #thread: NativeThread
  readonly #header: Int32Array
  readonly #arena: Float32Array
  readonly #spec: NetworkSpec
  readonly #call: Bound
  #memory: Float32Array | undefined
  /** Floats of one row: of the output at one step, of hn, of cn. */
  readonly #rowY: number
  readonly #rowH: number
  readonly #rowC: number

  constructor(thread: NativeThread, spec: NetworkSpec, call: Bound, memory: Float32Array) {
    this.#thread = thread
    this.#header = thread.header
    this.#arena = thread.arena
    this.#spec = spec
    this.#call = call
    this.#memory = memory
    const D = directionsOf(spec)
    this.#rowY = D * outputSizeOf(spec)
    this.#rowH = spec.numLayers * this.#rowY
    this.#rowC = hasCellState(spec.cell) ? spec.numLayers * D * spec.hiddenSize : 0
  }

  forward(call: ForwardCall): ForwardResult {
    const { x, h0, c0, lengths } = call
    const { B, T } = this.#describe(call)
    const y = call.returnOutput ? T * B * this.#rowY : 0
    const h = B * this.#rowH
    const c = B * this.#rowC
    const values = T * B * this.#spec.inputSize // what x says of its length may be a lie
    const inputs = values + (h0 ? h : 0) + (c0 ? c : 0) + (lengths ? B : 0)
    if (y >= longOutput || !this.#thread.fits(inputs + y + h + c)) return this.#forwardLarge(call, y, h, c)
    const arena = this.#arena
    arena.set(x)
    let at = values
    if (h0) {
      arena.set(h0, at)
      at += h
    }
    if (c0) {
      arena.set(c0, at)
      at += c
    }
    if (lengths) {
      this.#thread.arenaInts.set(lengths, at)
      at += B
    }
    this.#header[place.op] = networkOp.forwardArena
    this.#call()
    return this.#cut(call, at, y, h, c)
  }

  /** Arrays are passed as they are. */
  #forwardLarge(call: ForwardCall, y: number, h: number, c: number): ForwardResult {
    const output = call.returnOutput ? unwritten(y) : undefined
    const hn = unwritten(h)
    const cn = this.#rowC ? unwritten(c) : undefined
    this.#header[place.op] = networkOp.forward
    this.#call(call.x, call.h0, call.c0, call.lengths, output, hn, cn)
    return { output, hn, cn }
  }

  /** Results out of the arena. */
  #cut(call: { returnOutput: boolean }, at: number, y: number, h: number, c: number): ForwardResult {
    const arena = this.#arena
    const output = call.returnOutput ? arena.slice(at, at + y) : undefined
    const hn = arena.slice(at + y, at + y + h)
    const cn = this.#rowC ? arena.slice(at + y + h, at + y + h + c) : undefined
    return { output, hn, cn }
  }

  forwardAsync(call: ForwardCall, settle: Settle): () => void {
    const { T, B } = this.#describe(call)
    const y = call.returnOutput ? T * B * this.#rowY : 0
    const h = B * this.#rowH
    const c = B * this.#rowC
    this.#header[place.op] = networkOp.start
    this.#call(call.x, call.h0, call.c0, call.lengths)
    const thread = this.#thread
    const { returnOutput } = call
    const slot = thread.expect((slot, how) => {
      if (how !== outcome.done) {
        thread.drop(slot)
        settle(outOfMemory())
      } else if (thread.fits(y + h + c)) {
        thread.take(slot)
        settle(orError(() => this.#cut({ returnOutput }, 0, y, h, c)))
      } else {
        settle(takeLarge(thread, slot, returnOutput ? y : undefined, h, this.#rowC ? c : undefined))
      }
    })
    return () => thread.cancel(slot)
  }

  batch(): BatchCore {
    this.#header[place.op] = networkOp.batch
    return new NativeBatch(this.#thread, this.#spec, this.#call() as Bound)
  }

  share(): unknown {
    this.#header[place.op] = networkOp.share
    this.#call()
    return this.#memory
  }

  /** Writes a call's sizes and flags into the header. No rows: no matter how many steps. */
  #describe({ T, B, batchFirst, h0, c0, lengths, returnOutput }: ForwardCall): { T: number; B: number } {
    const steps = B === 0 ? 0 : T
    if (steps > 0x7fffffff) throw new RangeError(`native-rnn: ${T} time steps are more than one call can take`)
    const header = this.#header
    header[place.T] = steps
    header[place.B] = B
    header[place.flags] =
      (batchFirst ? flag.batchFirst : 0) |
      (returnOutput ? flag.output : 0) |
      (h0 ? flag.h0 : 0) |
      (c0 ? flag.c0 : 0) |
      (lengths ? flag.lengths : 0)
    return { T: steps, B }
  }

  weights(): CellWeights[] {
    const weights = collectWeights(this.#spec, () => {})
    this.#header[place.op] = networkOp.weights
    this.#call(weights.flatMap(listWeights))
    return weights
  }

  stream(batchSize: number): StreamCore {
    const { inputSize } = this.#spec
    // The output begins on a cache line of its own.
    const inputs = Math.ceil((batchSize * inputSize) / 16) * 16
    const outputs = batchSize * outputSizeOf(this.#spec)
    const memory = new SharedArrayBuffer((inputs + outputs) * 4)
    const input = new Float32Array(memory, 0, batchSize * inputSize)
    const output = new Float32Array(memory, inputs * 4, outputs)
    this.#header[place.op] = networkOp.stream
    this.#header[place.B] = batchSize
    const call = this.#call(input, output) as Bound
    return new NativeStream(this.#thread, input, output, call, batchSize * this.#rowH, batchSize * this.#rowC)
  }

  dispose(): void {
    this.#header[place.op] = networkOp.dispose
    this.#call()
    this.#memory = undefined
  }
}

/** The result of a call whose arrays do not fit the arena; an error where there is no memory for them. */
function takeLarge(thread: NativeThread, slot: number, y: number | undefined, h: number, c: number | undefined) {
  const result = orError(() => ({
    output: y === undefined ? undefined : unwritten(y),
    hn: unwritten(h),
    cn: c === undefined ? undefined : unwritten(c),
  }))
  if (result instanceof Error) thread.drop(slot)
  else thread.takeInto(slot, result.output, result.hn, result.cn)
  return result
}

/** Where results are made there is no caller to throw at: what has no memory ends its own call. */
function orError(make: () => ForwardResult): ForwardResult | Error {
  try {
    return make()
  } catch (error) {
    return error as Error
  }
}
