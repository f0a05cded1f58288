/** The shapes that a recurrent operator gives, and the rules of its inputs; what it computes is the backends' own. */

import { list } from '../../errors.ts'
import { directionsOf } from '../../spec/spec.ts'
import type { Call } from '../call.ts'
import type { OperatorRow } from '../operators/row.ts'
import { type GraphTensor, lengthOf } from '../tensor.ts'
import { readNodeAttributes } from './attributes.ts'
import { checkShape, checkSizes, refuseShape } from './node.ts'
import { isRecurrent, layerType, plainAttributes, recurrentPlaces } from './parts.ts'

function floatsOf(call: Call, place: number, what: string, like?: GraphTensor): GraphTensor {
  const tensor = call.floats(place, like)
  if (tensor.type === 'float64') call.unsupported(`${what} of type float64 is not supported`)
  return tensor
}

/** Y (T, D, B, H), Y_h (D, B, H) and an LSTM's Y_c, or with `layout` 1 Y (B, T, D, H) and states (B, D, H). */
function shapes(opType: string, call: Call): readonly GraphTensor[] {
  const type = layerType(opType)
  const refuse = call.node.fail
  const attributes = readNodeAttributes(type, plainAttributes(call.attributes, refuse))
  const { hiddenSize, batchFirst } = attributes
  const x = floatsOf(call, recurrentPlaces.x, 'X')
  if (x.shape.length !== 3)
    refuseShape('X', `(${batchFirst ? 'batch, time' : 'time, batch'}, input_size)`, x.shape, refuse)
  const [T, B] = batchFirst ? [x.shape[1], x.shape[0]] : x.shape
  const [W, R] = [call.values(1), call.values(2)]
  const [inputs, hidden] = [W, R].map(({ shape }) => shape[opType === 'DynamicQuantizeLSTM' ? 1 : 2])
  // Here for all backends: one that has nothing to compute makes no network, which would say so.
  checkSizes({ input_size: inputs, hidden_size: hidden }, refuse)
  if (x.shape[2] !== inputs) call.fail(`Expected X size (…, ${inputs}), as W has it, got ${list(x.shape)}`)
  const D = directionsOf(attributes)
  const H = hiddenSize ?? hidden
  const state = batchFirst ? [B, D, H] : [D, B, H]
  for (const [place, tensor] of call.inputs.entries()) {
    if (tensor === undefined || place === recurrentPlaces.x) continue
    if (place === recurrentPlaces.lengths) {
      if (tensor.type !== 'int32') call.fail(`sequence_lens of type ${tensor.type}, where int32 belongs`)
      checkShape('sequence_lens', tensor.shape, [B], refuse)
    } else if (place === recurrentPlaces.h0 || (place === recurrentPlaces.c0 && type === 'LSTM')) {
      const name = place === recurrentPlaces.h0 ? 'initial_h' : 'initial_c'
      checkShape(name, floatsOf(call, place, name, x).shape, state, refuse)
    } else call.values(place)
  }
  call.spend(T * B * (lengthOf(W) + lengthOf(R)))
  const y = batchFirst ? [B, T, D, H] : [T, D, B, H]
  const wanted = type === 'LSTM' ? [y, state, state] : [y, state]
  return wanted.map((shape) => call.allocate(x.type, shape))
}

const mostInputs: Readonly<Record<string, number>> = { RNN: 6, GRU: 6, LSTM: 8, DynamicQuantizeLSTM: 12 }

/** The row of a recurrent operator, for dry calls only; undefined for any other. */
export function recurrentOf(domain: string, opType: string): OperatorRow | undefined {
  if (!isRecurrent({ domain, opType })) return undefined
  return { run: (call) => shapes(opType, call), inputs: [3, mostInputs[opType]] }
}
