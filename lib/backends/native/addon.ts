/** The types of what the addon exports; native/node/module.cpp is the other side of every line. */
import type { BackendName } from '../../spec/spec.ts'
import type { Fill } from '../../weights/random.ts'

/** A function bound to a C++ object: what it does, and its numbers, stand in the header. */
export type Bound = (...values: unknown[]) => unknown

/** What the addon exports. */
export interface Addon {
  /** Once a thread; gives the function that takes the results of asynchronous calls. */
  setUp(
    header: Int32Array,
    arena: Float32Array,
    settle: (slot: number, outcome: number) => void,
    threads: number,
    shareAlways: boolean,
  ): Bound
  tables(): { name: BackendName; usable: boolean }[]
  networkFloats(table: number, spec: readonly number[]): number
  network(
    table: number,
    spec: readonly number[],
    threads: number,
    memory: Float32Array,
    weights?: readonly (Float32Array | undefined)[],
  ): Bound
  readonly uniform: Fill
  operatorFloats(table: number, kind: number, sizes: readonly number[], precision: readonly number[]): number
  operator(
    table: number,
    kind: number,
    sizes: readonly number[],
    precision: readonly number[],
    memory: Float32Array,
    weights: readonly (Float32Array | undefined)[],
  ): Bound
  /** `constants` and each of `memories` lie in shared memory; the numbers are those of native/protocol/instructions.h. */
  program(
    table: number,
    threads: number,
    numbers: Float64Array,
    constants: Uint8Array,
    memories: readonly Float32Array[],
  ): Bound
}
