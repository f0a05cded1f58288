/** Every backend that this machine can run: suites loop over it, so that one text holds for all. */
import { availableBackends, type BackendName } from 'native-rnn'

/** Emulated processors have no time for TypeScript, which has no instructions of its own; what is held against it still asks for it. */
const isNativeOnly = process.env.NATIVE_RNN_TESTED === 'native'

export const backends: readonly BackendName[] = availableBackends().filter(
  (name) => !(isNativeOnly && name === 'typescript'),
)

/** The compiled ones. */
export const nativeBackends = backends.filter((name) => name !== 'typescript')

/**
 * Whether a backend promises the same bits as the others of its kind: `portable` has no fused multiply-add in hardware on x86-64's
 * baseline, so its bits are its own there.
 */
export function sharesBits(name: BackendName): boolean {
  return name !== 'typescript' && !(name === 'portable' && process.arch === 'x64')
}
