/** A recurrent ONNX node as a program gives it: reads the argument of `fromOnnxNode`. */

import { describe, fail } from '../../errors.ts'
import { isOpType } from '../../graph/recurrent/attributes.ts'
import type { NodeParts } from '../../graph/recurrent/node.ts'
import { plainObject, readOptions } from '../../options/checks.ts'
import { readTensor } from '../../tensor/read.ts'

/** Reads each property once. */
export function readNodeParts(node: unknown): NodeParts {
  const tensor = (value: unknown, name: string) => readTensor(value, name)
  const read = readOptions(
    node,
    {
      opType: (value: unknown) => value,
      // A getter among the attributes has run before any tensor is looked at.
      attributes: plainObject,
      W: tensor,
      R: tensor,
      B: tensor,
      P: tensor,
    },
    'an ONNX node',
  )
  const { opType } = read
  if (!isOpType(opType)) {
    fail('ERR_RNN_OPTION', `opType must be one of 'RNN', 'GRU', 'LSTM', got ${describe(opType)}`)
  }
  const { W, R, B, P } = read
  if (W === undefined) fail('ERR_RNN_OPTION', 'W is missing: an ONNX node needs its input weights')
  if (R === undefined) fail('ERR_RNN_OPTION', 'R is missing: an ONNX node needs its recurrent weights')
  return { opType, attributes: read.attributes ?? {}, W, R, B, P }
}
