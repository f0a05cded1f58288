/** Objects in the module's memory, and who uses them: the last user frees them, or the garbage collector does for who forgot. */
import { uncurried } from '../../intrinsics/captured.ts'
import type { WasmInstance } from './instance.ts'

/** An object in the module's memory. */
export class Owned {
  readonly instance: WasmInstance
  #address: number
  readonly #free: (address: number) => void
  readonly #under: Owned | undefined
  #users = 1

  /** @param under what it needs as long as it lives */
  constructor(instance: WasmInstance, address: number, free: (address: number) => void, under?: Owned) {
    this.instance = instance
    this.#address = address
    this.#free = free
    this.#under = under?.retain()
  }

  /** What `make` makes there, by the address that it gives; throws where it gives none, for want of memory. */
  static of(instance: WasmInstance, make: () => number, free: (address: number) => void, under?: Owned): Owned {
    return new Owned(instance, instance.made(make), free, under)
  }

  /** @throws Error where it was freed */
  get address(): number {
    if (this.#address === 0) throw new Error('native-rnn: use after dispose()')
    return this.#address
  }

  retain(): this {
    if (this.#users === 0) throw new Error('native-rnn: use after dispose()')
    this.#users++
    return this
  }

  release(): void {
    if (--this.#users > 0) return
    const address = this.#address
    this.#address = 0
    this.instance.ensureRoom()
    this.instance.guarded(() => this.#free(address))
    this.#under?.release()
  }
}

/** One use of an object: it ends once, however often that is said. */
export class Use {
  #owned: Owned | undefined

  constructor(owned: Owned) {
    this.#owned = owned
  }

  get owned(): Owned {
    if (!this.#owned) throw new Error('native-rnn: use after dispose()')
    return this.#owned
  }

  get hasEnded(): boolean {
    return this.#owned === undefined
  }

  end(): void {
    const owned = this.#owned
    if (!owned) return
    // Where the stack ends here, nothing has ended yet.
    owned.instance.ensureRoom()
    this.#owned = undefined
    owned.release()
  }
}

const registry =
  typeof FinalizationRegistry === 'undefined' ? undefined : new FinalizationRegistry<Use>((use) => use.end())
const register: ((registry: unknown, holder: object, use: Use) => void) | undefined =
  registry && uncurried(FinalizationRegistry.prototype.register)

/** The use of an object by another one of JavaScript: it ends with it at the latest. */
export function usedBy(holder: object, owned: Owned): Use {
  const use = new Use(owned)
  register?.(registry, holder, use)
  return use
}
