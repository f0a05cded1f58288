/** WebAssembly as it was when the package was loaded; undefined where this runtime has none. No types of this package's own say so. */
import { getterOf, uncurried } from '../../intrinsics/captured.ts'

/** A compiled module; it can be instantiated any number of times. */
export interface Module {
  readonly __module: never
}

/** What a module exports: functions of numbers. */
export type Exports = Readonly<Record<string, unknown>>

interface WebAssemblyObject {
  readonly Module: new (bytes: Uint8Array) => Module
  readonly Instance: new (module: Module) => { readonly exports: Exports }
  readonly Memory: { readonly prototype: object }
  readonly Global: { readonly prototype: object }
  validate(bytes: Uint8Array): boolean
}

interface Captured {
  readonly compile: (bytes: Uint8Array) => Module
  readonly instantiate: (module: Module) => Exports
  /** The buffer of a memory, which is another one after it has grown. */
  readonly bufferOf: (memory: unknown) => ArrayBuffer
  readonly setGlobal: (global: unknown, value: number) => void
  readonly globalValue: (global: unknown) => number
  /** Whether there are vector instructions. */
  readonly hasSimd: boolean
}

/** A module of one function that makes a vector and takes a lane of it. */
const simdProbe = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]

function capture(): Captured | undefined {
  try {
    const { Module, Instance, Memory, Global, validate } = (globalThis as { WebAssembly?: WebAssemblyObject })
      .WebAssembly!
    const exportsOf = getterOf<Exports>((Instance as unknown as { prototype: object }).prototype, 'exports')
    return {
      compile: (bytes) => new Module(bytes),
      instantiate: (module) => exportsOf(new Instance(module)),
      bufferOf: getterOf<ArrayBuffer>(Memory.prototype, 'buffer'),
      setGlobal: uncurried(Object.getOwnPropertyDescriptor(Global.prototype, 'value')!.set!),
      globalValue: getterOf<number>(Global.prototype, 'value'),
      hasSimd: validate(new Uint8Array(simdProbe)),
    }
  } catch {
    return undefined
  }
}

export const webAssembly = capture()
