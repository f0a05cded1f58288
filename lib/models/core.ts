/** A compiled model in use: its graph, what its backend has packed of it, and its programs; counted by the model, its streams and batchers. */

import type { Backend } from '../backends/interface.ts'
import type { Streamed } from '../graph/axes/along.ts'
import { Budget, ofRun } from '../graph/budget.ts'
import type { FlatGraph, GraphValue, Plan } from '../graph/plan.ts'
import { NeedsInputs, settle } from '../graph/settle.ts'
import { count, factsOf, type GraphTensor } from '../graph/tensor.ts'
import { propertyName } from '../intrinsics/properties.ts'
import type { Precision } from '../spec/weight-types.ts'
import { fingerprintOf } from './fingerprint.ts'
import { keyOf, LoadedProgram, ProgramCache, type Wanted } from './programs.ts'
import { type DeclaredInput, declaredInput } from './shapes.ts'
import { ModelStore, type SharedPacked } from './store.ts'

/** One model that any number of streams and batchers hold; the last to release it frees its programs. */
export class ModelCore {
  #graph: FlatGraph
  readonly backend: Backend
  readonly threads: number
  readonly precision: Precision
  /** The bytes of the file and those beside it: what runs may take is bounded by them and the inputs. */
  readonly bytes: number
  readonly store: ModelStore
  readonly inputs: readonly DeclaredInput[]
  /** The places of all outputs. */
  readonly allOutputs: readonly number[]
  readonly #programs = new ProgramCache()
  /** Places of inputs whose values shapes were found to depend on. */
  readonly #keyInputs: number[] = []
  #isMoved = false
  #users = 1
  #fingerprint: Uint8Array | undefined

  /** The new object counts as its first user. */
  constructor(
    graph: FlatGraph,
    backend: Backend,
    threads: number,
    precision: Precision,
    bytes: number,
    packed: readonly SharedPacked[] = [],
  ) {
    this.#graph = { ...graph, inputs: withNames(graph.inputs), outputs: withNames(graph.outputs) }
    this.backend = backend
    this.threads = threads
    this.precision = precision
    this.bytes = bytes
    this.store = new ModelStore(graph, packed)
    this.inputs = graph.inputs.map(declaredInput)
    this.allOutputs = graph.outputs.map((_, place) => place)
  }

  get graph(): FlatGraph {
    return this.#graph
  }

  /** Moves the constants to other memory, once; `move` is left out where they are there already. */
  moveConstants(move: ((constants: FlatGraph['constants']) => FlatGraph['constants']) | undefined): void {
    if (this.#isMoved) return
    if (move) this.#graph = { ...this.#graph, constants: move(this.#graph.constants) }
    this.store.use(this.#graph)
    this.#isMoved = true
  }

  retain(): this {
    this.#users++
    return this
  }

  release(): void {
    if (--this.#users > 0) return
    this.#programs.clear()
    this.store.release()
  }

  /** The graph for shapes that were checked. `needs`: for calls without values, called with the places of inputs whose values the graph needs. */
  plan({ shapes, values, outputs, carries }: Wanted, needs?: (places: readonly number[]) => never): Plan {
    const graph =
      outputs === undefined ? this.graph : { ...this.graph, outputs: outputs.map((place) => this.graph.outputs[place]) }
    for (;;) {
      const given = new Map<number, GraphTensor>()
      for (const place of this.#keyInputs) if (values !== undefined) given.set(place, values[place])
      const plan = settle(
        graph,
        { shapes, values: given, carries },
        new Budget(this.bytes + this.#bytesOf(shapes), ofRun),
      )
      if (!(plan instanceof NeedsInputs)) return plan
      if (values === undefined) needs!(plan.places)
      this.#keyInputs.push(...plan.places.filter((place) => !this.#keyInputs.includes(place)))
    }
  }

  #bytesOf(shapes: readonly (readonly number[])[]): number {
    const { inputs } = this.graph
    return inputs.reduce((sum, { type }, i) => sum + count(shapes[i]) * (factsOf(type).bits / 8), 0)
  }

  /** The program under a key; where there is none, of the plan that `make` gives. It is held by the cache alone. */
  program(key: string, make: () => Streamed): LoadedProgram {
    return this.#programs.get(key, () => this.load(make()))
  }

  /** A program that is nobody's yet. */
  load(streamed: Streamed): LoadedProgram {
    return new LoadedProgram(streamed, this.backend.program(streamed.plan, this.store, this.threads, this.precision))
  }

  /** The program of a run. */
  runProgram(wanted: Wanted): LoadedProgram {
    for (;;) {
      const known = this.#keyInputs.length
      const program = this.program(keyOf(wanted, this.#keyInputs), () => ({ plan: this.plan(wanted), states: [] }))
      // Where making it has shown that more inputs count, it stands under a key that is too short.
      if (this.#keyInputs.length === known) return program
      this.#programs.clear()
    }
  }

  /** SHA-256 of everything that decides what the model computes: the same on every backend. Made when it is first asked for. */
  fingerprint(): Uint8Array {
    this.#fingerprint ??= fingerprintOf(this.graph, this.precision)
    return this.#fingerprint
  }
}

/** Values are looked for by their names in every call. */
function withNames<Value extends GraphValue>(values: readonly Value[]): Value[] {
  return values.map((value) => ({ ...value, name: propertyName(value.name) }))
}
