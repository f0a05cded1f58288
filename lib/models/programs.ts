/** The programs of a model: one for each set of input shapes that was met lately, each with an instance that is free. */

import type { Program, ProgramInstance } from '../backends/interface.ts'
import type { Streamed } from '../graph/axes/along.ts'
import type { Carry, Plan } from '../graph/plan.ts'
import type { GraphTensor } from '../graph/tensor.ts'

/** The most programs that are kept without anybody using them. */
const mostPrograms = 16
/** The most instances of one program that are kept free: as many calls may run beside each other without making one. */
const mostFree = 4

/** What a program is made for. */
export interface Wanted {
  /** By place of the model's inputs. */
  readonly shapes: readonly (readonly number[])[]
  /** The values, by the same place: of inputs that shapes depend on they decide too. */
  readonly values?: readonly GraphTensor[]
  /** Places of the model's outputs; all where left out. */
  readonly outputs?: readonly number[]
  readonly carries: readonly Carry[]
}

/** A program in use: counted by its instances and those who hold it; the last to let go frees it. */
export class LoadedProgram {
  readonly plan: Plan
  /** What the states begin with that a plan has by itself: those of its first carries. */
  readonly initial: Streamed['states']
  readonly #program: Program
  #users = 1
  #free: ProgramInstance[] = []

  /** The new object counts as its first user. */
  constructor({ plan, states }: Streamed, program: Program) {
    this.plan = plan
    this.initial = states
    this.#program = program
  }

  retain(): this {
    this.#users++
    return this
  }

  release(): void {
    if (--this.#users > 0) return
    for (let i = 0; i < this.#free.length; i++) this.#free[i].dispose()
    this.#free = []
    this.#program.dispose()
  }

  /** An instance that nobody else has; it counts as a user. */
  take(): ProgramInstance {
    const last = this.#free.length - 1
    const instance = last < 0 ? this.#program.instance() : this.#free[last]
    if (last >= 0) this.#free.length = last
    this.#users++
    return instance
  }

  /** Gives an instance back, to be used again. */
  give(instance: ProgramInstance): void {
    if (this.#free.length < mostFree) this.#free[this.#free.length] = instance
    else instance.dispose()
    this.release()
  }

  /** Gives an instance back that cannot be used again. */
  drop(instance: ProgramInstance): void {
    instance.dispose()
    this.release()
  }
}

interface Entry {
  readonly key: string
  readonly program: LoadedProgram
}

/** The programs that were used lately, newest first. */
export class ProgramCache {
  #entries: Entry[] = []

  /** The program under a key, made where there is none. It stays the cache's: whoever needs it for longer retains it. */
  get(key: string, make: () => LoadedProgram): LoadedProgram {
    const entries = this.#entries
    let place = 0
    while (place < entries.length && entries[place].key !== key) place++
    const found = place < entries.length ? entries[place] : { key, program: make() }
    if (place === mostPrograms) entries[--place].program.release()
    for (; place > 0; place--) entries[place] = entries[place - 1]
    entries[0] = found
    return found.program
  }

  clear(): void {
    const entries = this.#entries
    this.#entries = []
    for (let i = 0; i < entries.length; i++) entries[i].program.release()
  }
}

/** What two calls have in common that one program can do. `keyInputs`: places of inputs whose values count. */
export function keyOf({ shapes, values, outputs, carries }: Wanted, keyInputs: readonly number[]): string {
  let key = ''
  for (let i = 0; i < shapes.length; i++) {
    const shape = shapes[i]
    for (let axis = 0; axis < shape.length; axis++) key += `${shape[axis]},`
    key += ';'
  }
  for (let k = 0; values !== undefined && k < keyInputs.length; k++) {
    const { data } = values[keyInputs[k]]
    for (let i = 0; i < data.length; i++) key += `${data[i]},`
    key += ';'
  }
  for (let k = 0; outputs !== undefined && k < outputs.length; k++) key += `>${outputs[k]}`
  for (let k = 0; k < carries.length; k++) key += `|${carries[k].output}>${carries[k].input}`
  return key
}
