/** The shapes that a recurrent operator gives, and the rules of its inputs; what it computes is the backends' own. */

import { list, tuple } from '../../errors.ts'
import type { Call } from '../call.ts'
import type { OperatorRow } from '../operators/row.ts'
import { type GraphTensor, lengthOf } from '../tensor.ts'
import { readNodeAttributes } from './attributes.ts'
import { isRecurrent, layerType, plainAttributes, recurrentPlaces } from './parts.ts'

function floatsOf(call: Call, place: number, what: string, like?: GraphTensor): GraphTensor {
  const tensor = call.floats(place, like)
  if (tensor.type === 'float64') call.unsupported(`${what} of type float64 is not supported`)
  return tensor
}

function checkShape(call: Call, { shape }: GraphTensor, what: string, wanted: readonly number[]): void {
  if (shape.length === wanted.length && shape.every((size, axis) => size === wanted[axis])) return
  call.fail(`Expected ${what} size ${tuple(wanted)}, got ${list(shape)}`)
}

/** Y (T, D, B, H), Y_h (D, B, H) and an LSTM's Y_c, or with `layout` 1 Y (B, T, D, H) and states (B, D, H). */
function shapes(opType: string, call: Call): readonly GraphTensor[] {
  const type = layerType(opType)
  const { direction, hiddenSize, batchFirst } = readNodeAttributes(
    type,
    plainAttributes(call.attributes, call.node.fail),
  )
  const x = floatsOf(call, recurrentPlaces.x, 'X')
  if (x.shape.length !== 3)
    call.fail(`Expected X size (${batchFirst ? 'batch, time' : 'time, batch'}, input_size), got ${list(x.shape)}`)
  const [T, B] = batchFirst ? [x.shape[1], x.shape[0]] : [x.shape[0], x.shape[1]]
  const [W, R] = [call.values(1), call.values(2)]
  const [inputs, hidden] = opType === 'DynamicQuantizeLSTM' ? [W.shape[1], R.shape[1]] : [W.shape[2], R.shape[2]]
  // Here for all backends: one that has nothing to compute makes no network, which would say so.
  for (const [name, size] of Object.entries({ input_size: inputs, hidden_size: hidden })) {
    if (!(size >= 1 && size <= 2 ** 20)) call.fail(`${name} must be from 1 to 1048576, got ${size}`)
  }
  if (x.shape[2] !== inputs) call.fail(`Expected X size (…, ${inputs}), as W has it, got ${list(x.shape)}`)
  const D = direction === 'bidirectional' ? 2 : 1
  const H = hiddenSize ?? hidden
  const state = batchFirst ? [B, D, H] : [D, B, H]
  for (const place of call.inputs.keys()) {
    if (call.inputs[place] === undefined || place === recurrentPlaces.x) continue
    if (place === recurrentPlaces.lengths) {
      const lengths = call.input(place)
      if (lengths.type !== 'int32') call.fail(`sequence_lens of type ${lengths.type}, where int32 belongs`)
      checkShape(call, lengths, 'sequence_lens', [B])
    } else if (place === recurrentPlaces.h0) checkShape(call, floatsOf(call, place, 'initial_h', x), 'initial_h', state)
    else if (place === recurrentPlaces.c0 && type === 'LSTM') {
      checkShape(call, floatsOf(call, place, 'initial_c', x), 'initial_c', state)
    } else call.values(place)
  }
  call.spend(T * B * (lengthOf(W) + lengthOf(R)))
  const y = batchFirst ? [B, T, D, H] : [T, D, B, H]
  const wanted = type === 'LSTM' ? [y, state, state] : [y, state]
  return wanted.map((shape) => call.allocate(x.type, shape))
}

const row = (opType: string, most: number): OperatorRow => ({ run: (call) => shapes(opType, call), inputs: [3, most] })

const rows: Readonly<Record<string, OperatorRow>> = {
  RNN: row('RNN', 6),
  GRU: row('GRU', 6),
  LSTM: row('LSTM', 8),
  DynamicQuantizeLSTM: row('DynamicQuantizeLSTM', 12),
}

/** The row of a recurrent operator, for dry calls only; undefined for any other. */
export function recurrentOf(domain: string, opType: string): OperatorRow | undefined {
  return isRecurrent({ domain, opType }) ? rows[opType] : undefined
}
