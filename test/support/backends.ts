/** Every backend that this machine can run: suites loop over it, so that one text holds for all. */
import { availableBackends, type BackendName } from 'native-rnn'

/** Emulated processors have no time for TypeScript and WebAssembly, which have no instructions of their own; what is held against it still asks for it. */
const isNativeOnly = process.env.NATIVE_RNN_TESTED === 'native'

export const backends: readonly BackendName[] = availableBackends().filter(
  (name) => !(isNativeOnly && (name === 'typescript' || name === 'wasm')),
)

/** Those that share no code with TypeScript. */
export const compiledBackends = backends.filter((name) => name !== 'typescript')

/** Those of the addon. */
export const nativeBackends = compiledBackends.filter((name) => name !== 'wasm')

/** `portable` has no fused multiply-add in hardware on x86-64's baseline, WebAssembly has none anywhere: their bits are their own there. */
const isUnfused = (name: BackendName): boolean => name === 'wasm' || (name === 'portable' && process.arch === 'x64')

/** Whether a backend promises the same bits as the others whose multiply-adds are fused. */
export function sharesBits(name: BackendName): boolean {
  return name !== 'typescript' && !isUnfused(name)
}

/** Backends that promise each other's bits. */
export const bitGroups: readonly (readonly BackendName[])[] = [
  backends.filter(sharesBits),
  backends.filter(isUnfused),
].filter((group) => group.length > 1)
