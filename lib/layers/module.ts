/** The life that all layers share: their weights until they are disposed, state dicts out and in, and how finished parts become a layer. */

import { checkThis, fail } from '../errors.ts'
import { ensureStack } from '../intrinsics/stack.ts'
import { prefixChecks, readOptions } from '../options/checks.ts'
import type { PrefixOptions } from '../options/options.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type StateDict, StateDictReader } from '../weights/state-dict.ts'

/** What a layer of one class computes with: weights, and what a backend made of them. Never changed: new weights make new parts. */
export abstract class Parts<Self> {
  /** The weights by PyTorch's names; copies. */
  abstract stateDict(): Record<string, Tensor>
  /** Parts of the same sizes, with the weights of a dict. */
  abstract reload(reader: StateDictReader): Self
  /** Bytes that the weights take as they are kept. */
  abstract get weightBytes(): number
  abstract dispose(): void
}

/**
 * Makes a layer of finished parts: its constructor takes them in place of sizes and options. No public type lets them in, and no script
 * has any to give.
 */
export function construct<M>(moduleClass: new (...sizes: never) => M, parts: Parts<unknown>): M {
  return new (moduleClass as unknown as new (parts: Parts<unknown>) => M)(parts)
}

/** The parts where {@link construct} has called a constructor; undefined where a user has, with sizes. */
export function finished<P extends Parts<P>>(given: unknown): P | undefined {
  return given instanceof Parts ? (given as P) : undefined
}

let livingParts: <P extends Parts<P>>(module: Module<P>) => P

/** The parts of a layer that is not disposed. No method, for a script could call it, and parts below the checks take what they get. */
export function partsOf<P extends Parts<P>>(module: Module<P>): P {
  return livingParts(module)
}

/** The base class of all layers; it is not made by itself. */
export abstract class Module<P extends Parts<P>> {
  readonly #name: string
  #parts: P | undefined

  /** @param name of the class, for errors */
  protected constructor(name: string, parts: P) {
    this.#name = name
    this.#parts = parts
  }

  static {
    livingParts = (module) =>
      module.#parts ?? fail('ERR_RNN_DISPOSED', `the ${module.#name} was disposed and cannot be used any more`)
  }

  /**
   * The weights by PyTorch's names.
   *
   * @returns copies: changing them does not change the layer
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  stateDict(): Record<string, Tensor> {
    checkThis(this, Module, 'layer.stateDict')
    return livingParts(this).stateDict()
  }

  /**
   * Replaces all weights, or, where anything is wrong, none. Streams that are open keep the weights they were opened with.
   *
   * @param dict weights by PyTorch's names; keys outside the prefix are ignored
   * @throws RNNError `ERR_RNN_STATE_DICT` naming every weight that is missing, left over, of the wrong shape, or not finite;
   * `ERR_RNN_OPTION`, `ERR_RNN_DISPOSED`
   */
  loadStateDict(dict: StateDict, options?: PrefixOptions): void {
    checkThis(this, Module, 'layer.loadStateDict')
    const parts = livingParts(this)
    const { prefix } = readOptions(options, prefixChecks, `${this.#name}.loadStateDict`)
    const next = parts.reload(new StateDictReader(dict, prefix))
    // A getter of the dict may have disposed the layer, or loaded other weights.
    livingParts(this).dispose()
    this.#parts = next
  }

  /**
   * What the weights take, in bytes, as they are kept and read.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   * @example
   * new LSTM(64, 64, { weights: 'int8' }).memory().weights // 36864, where float32 has 133120
   */
  memory(): { weights: number } {
    checkThis(this, Module, 'layer.memory')
    return { weights: livingParts(this).weightBytes }
  }

  /** Frees the weights. Idempotent; a later use is `ERR_RNN_DISPOSED`. Open streams live on. */
  dispose(): void {
    checkThis(this, Module, 'layer.dispose')
    ensureStack()
    this.#parts?.dispose()
    this.#parts = undefined
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}
