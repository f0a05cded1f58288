/** The live state of B sequences on the TypeScript backend. */

import { copyOf, zeros } from '../../intrinsics/captured.ts'
import { ensureStack } from '../../intrinsics/stack.ts'
import { checkFrames, newFrames } from '../../runtime.ts'
import type { NetworkSpec } from '../../spec/spec.ts'
import type { StreamCore } from '../interface.ts'
import { copy, startedFrom } from './arrays.ts'
import { cells } from './cells/index.ts'
import type { CellStep } from './layer.ts'

/** All state of a stream is in its own arrays; the scratch of the runs lives only within a step. */
export function createStream(spec: NetworkSpec, steps: readonly CellStep[], O: number, B: number): StreamCore {
  const { numLayers: L, hiddenSize: H, inputSize: I } = spec
  const cellState = cells[spec.cell].cellState
  const input = newFrames(B * I)
  const output = newFrames(B * O)
  const h = zeros(L * B * O)
  const states = cellState ? L * B * H : 0
  const c = zeros(states)
  const top = (L - 1) * B * O
  const advance = (x: Float32Array, xAt: number, y: Float32Array, yAt: number): void => {
    // The end of the stack must not find some rows moved and others not.
    ensureStack()
    for (let b = 0; b < B; b++) {
      steps[0](x, xAt + b * I, h, b * O, c, b * H)
      for (let layer = 1; layer < L; layer++) {
        const below = (layer - 1) * B + b
        steps[layer](h, below * O, h, (below + B) * O, c, (below + B) * H)
      }
    }
    copy(y, yAt, h, top, B * O)
  }
  return {
    input,
    output,
    step() {
      checkFrames(input, B * I)
      checkFrames(output, B * O)
      advance(input, 0, output, 0)
    },
    run(x, T) {
      const y = zeros(T * B * O)
      for (let t = 0; t < T; t++) advance(x, t * B * I, y, t * B * O)
      return y
    },
    readState: () => ({ h: copyOf(h), c: cellState ? copyOf(c) : undefined }),
    writeState(newH, newC) {
      startedFrom(newH, h, L * B * O)
      startedFrom(newC, c, states)
    },
    dispose() {},
  }
}
