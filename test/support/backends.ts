/** Every backend that this machine can run: suites loop over it, so that one text holds for all. */
import { availableBackends, type BackendName } from 'native-rnn'

/**
 * Emulated processors ('native') and sanitizers ('best') have no time for TypeScript and WebAssembly, which have no instructions of their own, nor for more
 * than one set of kernels, since what is around them is the same. What is held against TypeScript still asks for it, and an emulated processor holds all its sets of
 * kernels against each other, bit for bit.
 */
const tested = process.env.NATIVE_RNN_TESTED
const isNative = (name: BackendName): boolean => name !== 'typescript' && name !== 'wasm'

const all: readonly BackendName[] = availableBackends().filter((name) => !tested || isNative(name))
export const backends = all.slice(0, tested ? 1 : undefined)

/** Those that share no code with TypeScript. */
export const compiledBackends = backends.filter((name) => name !== 'typescript')

/** Those of the addon. */
export const nativeBackends = backends.filter(isNative)

/** `portable` has no fused multiply-add in hardware on x86-64's baseline, WebAssembly has none anywhere: their bits are their own there. */
const isUnfused = (name: BackendName): boolean => name === 'wasm' || (name === 'portable' && process.arch === 'x64')

/**
 * One of each engine: the best set of kernels, WebAssembly and TypeScript. What is around kernels (memory, arrays, batchers, workers) is the same code
 * for all sets of the addon, so what takes long and is about that alone runs once for them.
 */
export const engines: readonly BackendName[] = backends.filter((name) => !isNative(name) || name === nativeBackends[0])

/** Whether a backend promises the same bits as the others whose multiply-adds are fused. */
export function sharesBits(name: BackendName): boolean {
  return name !== 'typescript' && !isUnfused(name)
}

const compared = tested === 'native' ? all : backends
/** Backends that promise each other's bits. */
export const bitGroups: readonly (readonly BackendName[])[] = [
  compared.filter(sharesBits),
  compared.filter(isUnfused),
].filter((group) => group.length > 1)
