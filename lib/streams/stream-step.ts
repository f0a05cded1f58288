/** The function behind `stream.step`, with as little above the backend's own as can be. */
import type { StreamCore } from '../backends/interface.ts'
import { describe, fail, failShape } from '../errors.ts'
import { isArray, setValues } from '../intrinsics/captured.ts'
import { trueLength, typedArrayName } from '../intrinsics/typed-arrays.ts'

/** The two ways to step. */
export interface Step {
  /** Consumes `input`, advances the state, fills `output`; allocates nothing. */
  (): void
  /** Copies the frame of B·I values into `input`, steps, and returns `output`. */
  (frame: Float32Array): Float32Array
}

/** What every use of a disposed stream does. */
export function disposed(): never {
  fail('ERR_RNN_DISPOSED', 'the stream was disposed and cannot be used any more')
}

/** Closes over what a step needs, so that one without a frame costs one comparison above the backend's own. */
export function bindStep(core: StreamCore): { step: Step; close: () => void } {
  const { input, output } = core
  const length = input.length
  let advance = core.step
  function step(frame?: Float32Array): Float32Array | undefined {
    // biome-ignore lint/complexity/noArguments: a rest parameter allocates, and step(undefined) must not pass for step()
    if (arguments.length === 0) {
      advance()
      return
    }
    checkFrame(frame, length)
    setValues(input, frame as Float32Array)
    advance()
    return output
  }
  return {
    step: step as Step,
    close: () => {
      advance = disposed
    },
  }
}

/** Throws for what is no Float32Array of this length; `letters` is how the message calls the length. */
export function checkFrame(frame: unknown, length: number, letters = 'B·I'): void {
  // Not instanceof and not its own `length`, which may say anything.
  if (typedArrayName(frame) !== 'Float32Array') {
    const hint = isArray(frame) ? '; Float32Array.from(frame) makes one' : ''
    failShape(`frame must be a Float32Array of ${letters} = ${length} values, got ${describe(frame)}${hint}`)
  }
  const got = trueLength(frame as Float32Array)
  if (got !== length) failShape(`frame must have length ${letters} = ${length}, got ${got}`)
}
