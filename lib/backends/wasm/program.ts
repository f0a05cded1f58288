/** A plan as the module runs it: at once, or in turns of the event loop. Inputs and outputs are copied in and out, for its memory may move. */

import type { Plan } from '../../graph/plan.ts'
import { stepFailed } from '../../graph/step-error.ts'
import type { GraphData } from '../../graph/tensor.ts'
import { bytesOf, min, setValues, typedBuffer, viewOfBytes } from '../../intrinsics/captured.ts'
import { checkFrames, newFrames } from '../../runtime.ts'
import type { Precision } from '../../spec/weight-types.ts'
import type { Program, ProgramInstance, WeightStore } from '../interface.ts'
import type { PackedMemory } from '../packed-memory.ts'
import { outOfMemory } from '../packing.ts'
import { arraysOver, type Compiled, compile } from '../program/compile.ts'
import { copiedBytes } from '../turns/time-slices.ts'
import type { WasmInstance } from './instance.ts'
import { Owned, Use, usedBy } from './owned.ts'
import { packerOf, type WasmWeights } from './packed-weights.ts'
import { runUsing } from './pieces.ts'

/** What the instances of a program have in common. */
interface Loaded extends Pick<Compiled, 'labels' | 'memories' | 'inputs' | 'outputs'> {
  readonly use: Use
  /** Bytes of inputs and outputs. Those up to `given` are read by a run, those from `made` on are written. */
  readonly ioBytes: number
  readonly given: number
  readonly made: number
}

export class WasmProgram implements Program {
  readonly #loaded: Loaded

  constructor(instance: WasmInstance, plan: Plan, store: WeightStore, precision: Precision) {
    instance.ensureRoom()
    const constants = { address: 0, bytes: 0 }
    const memory = (bytes: number): Uint8Array => {
      constants.address = instance.allocate(bytes / 4)
      constants.bytes = bytes
      return viewOfBytes(instance.bytes, constants.address >>> 0, bytes)
    }
    let made: Compiled | undefined
    let owned: Owned
    try {
      made = compile(plan, packerOf(instance), store, 1, precision, memory)
      owned = load(instance, made, constants)
    } catch (error) {
      instance.release(constants.address)
      if (made) releaseAll(made.memories)
      throw error
    }
    const { labels, memories, inputs, outputs, ioBytes } = made
    const use = usedBy(this, owned)
    this.#loaded = { use, labels, memories, inputs, outputs, ioBytes, ...extentsOf(plan, made) }
  }

  instance(): ProgramInstance {
    return new WasmProgramInstance(this, this.#loaded)
  }

  dispose(): void {
    const { use, memories } = this.#loaded
    if (use.hasEnded) return
    use.end()
    releaseAll(memories)
  }
}

function releaseAll(memories: readonly PackedMemory[]): void {
  for (let i = 0; i < memories.length; i++) memories[i].release()
}

/** The program in the module's memory. It has the constants from then on. */
function load(
  instance: WasmInstance,
  made: Compiled,
  constants: { readonly address: number; readonly bytes: number },
): Owned {
  const { numbers } = made
  const memories = made.memories as readonly WasmWeights[]
  return instance.withArrays([2 * numbers.length, 2 * memories.length], (at) => {
    setValues(instance.doubles, numbers, at[0] >>> 3)
    for (let i = 0; i < memories.length; i++) {
      instance.ints[(at[1] >>> 2) + 2 * i] = memories[i].address
      instance.ints[(at[1] >>> 2) + 2 * i + 1] = memories[i].floats
    }
    const { programNew, programFree } = instance.exports
    const make = () => programNew(at[0], numbers.length, constants.address, constants.bytes, at[1], memories.length)
    return new Owned(instance, make, programFree)
  })
}

/** Where in a run's memory the inputs end, outputs lying behind them, and where what a run writes begins: at a state that it carries, or there. */
function extentsOf({ carries }: Plan, { inputs, outputs, ioBytes }: Compiled): { given: number; made: number } {
  let given = ioBytes
  for (let i = 0; i < outputs.length; i++) given = min(given, outputs[i].offset)
  let made = given
  for (let i = 0; i < carries.length; i++) made = min(made, inputs[carries[i].input].offset)
  return { given, made }
}

/** Memory of JavaScript's alone: what a run works on is taken from the module when it begins. */
class WasmProgramInstance implements ProgramInstance {
  readonly inputs: readonly GraphData[]
  readonly outputs: readonly GraphData[]
  /** Keeps it from the garbage collector. */
  readonly #program: WasmProgram
  readonly #loaded: Loaded
  /** The part of it that a run reads, and the one that it writes. */
  readonly #given: Uint8Array
  readonly #made: Uint8Array
  /** What the last run wrote: a view of the module's memory there. */
  #results: Uint8Array | undefined
  #memory: Uint8Array | undefined
  #address = 0

  constructor(program: WasmProgram, loaded: Loaded) {
    const { ioBytes, given, made, inputs, outputs } = loaded
    const io = bytesOf(newFrames(ioBytes / 4))
    this.#program = program
    this.#loaded = loaded
    this.#given = viewOfBytes(io, 0, given)
    this.#made = viewOfBytes(io, made, ioBytes - made)
    this.inputs = arraysOver(typedBuffer(io), 0, inputs)
    this.outputs = arraysOver(typedBuffer(io), 0, outputs)
  }

  run(): void {
    this.#checkMemory()
    const { instance, address } = this.#loaded.use.owned
    const { exports } = instance
    instance.ensureRoom()
    let failed: number
    try {
      const io = exports.programIo(address)
      if (io === 0 && this.#loaded.ioBytes > 0) throw outOfMemory()
      instance.look()
      setValues(instance.bytes, this.#given, io >>> 0)
      failed = exports.programRun(address)
      instance.look()
      if (failed === 0) this.#copyOut(instance, io)
    } catch (error) {
      throw instance.failed(error)
    }
    if (failed !== 0) throw stepFailed(this.#loaded.labels[failed - 1])
  }

  #checkMemory(): void {
    const { given, made, ioBytes } = this.#loaded
    checkFrames(this.#given, given)
    checkFrames(this.#made, ioBytes - made)
  }

  #copyOut({ bytes }: WasmInstance, io: number): void {
    // Nothing is made where the same memory was used before.
    if (this.#memory !== bytes || this.#address !== io) {
      const { made, ioBytes } = this.#loaded
      this.#results = viewOfBytes(bytes, (io >>> 0) + made, ioBytes - made)
      this.#memory = bytes
      this.#address = io
    }
    setValues(this.#made, this.#results!)
  }

  start(settle: (error?: Error) => void): () => void {
    this.#checkMemory()
    const { owned } = this.#loaded.use
    const { instance, address } = owned
    const { exports } = instance
    instance.ensureRoom()
    const use = new Use(new Owned(instance, () => exports.turnsNew(address), exports.turnsFree, owned))
    return runUsing(use, this.#turns(use), (result) => settle(result instanceof Error ? result : undefined))
  }

  *#turns(use: Use): Generator<void, object> {
    const { instance, address } = use.owned
    const { exports } = instance
    const { labels, given, made, ioBytes } = this.#loaded
    const io = exports.turnsIo(address) >>> 0
    for (let at = 0; at < given; at += copiedBytes) {
      instance.look()
      setValues(instance.bytes, viewOfBytes(this.#given, at, min(copiedBytes, given - at)), io + at)
      yield
      if (use.hasEnded) return this
    }
    for (;;) {
      instance.ensureRoom()
      if (!instance.guarded(() => exports.turnsAdvance(address))) break
      yield
      if (use.hasEnded) return this
    }
    const failed = exports.turnsEnded(address)
    if (failed !== 0) return stepFailed(labels[failed - 1])
    for (let at = 0; at < ioBytes - made; at += copiedBytes) {
      yield
      if (use.hasEnded) return this
      instance.look()
      setValues(this.#made, viewOfBytes(instance.bytes, io + made + at, min(copiedBytes, ioBytes - made - at)), at)
    }
    return this.#program
  }

  dispose(): void {}
}
