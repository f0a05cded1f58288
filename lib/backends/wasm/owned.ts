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

  /**
   * What `make` makes there, by the address that it gives; throws where it gives none, for want of memory.
   *
   * @param under what it needs as long as it lives
   */
  constructor(instance: WasmInstance, make: () => number, free: (address: number) => void, under?: Owned) {
    this.instance = instance
    this.#address = instance.made(make)
    this.#free = free
    this.#under = under?.retain()
  }

  /** Memory for so many floats. */
  static memory(instance: WasmInstance, floats: number): Owned {
    return new Owned(instance, () => instance.exports.allocate(floats * 4), instance.exports.release)
  }

  /** @throws Error where it was freed */
  get address(): number {
    return this.#address || gone()
  }

  retain(): this {
    if (this.#users === 0) gone()
    this.#users++
    return this
  }

  /** What `fill` gives, which works on the new object; where it throws, there is no object any more. */
  filledBy<T>(fill: () => T): T {
    try {
      return fill()
    } catch (error) {
      this.release()
      throw error
    }
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

/** An object of packed weights that `fill` fills, and the bytes of these; its functions in the module take the same numbers. */
export function newPacked(
  instance: WasmInstance,
  numbers: readonly number[],
  bytesOf: (numbers: number) => number,
  make: (numbers: number) => number,
  free: (address: number) => void,
  fill: (owned: Owned) => void,
): { owned: Owned; bytes: number } {
  instance.ensureRoom()
  const bytes = instance.guarded(() => bytesOf(instance.putNumbers(numbers))) >>> 0
  const owned = new Owned(instance, () => make(instance.putNumbers(numbers)), free)
  owned.filledBy(() => fill(owned))
  return { owned, bytes }
}

function gone(): never {
  throw new Error('native-rnn: use after dispose()')
}

/** One use of an object: it ends once, however often that is said. */
export class Use {
  #owned: Owned | undefined

  constructor(owned: Owned) {
    this.#owned = owned
  }

  get owned(): Owned {
    return this.#owned ?? gone()
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
