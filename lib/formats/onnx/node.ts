/** A recurrent ONNX node as a program gives it: reads the argument of `fromOnnxNode`. */

import { failOption } from '../../errors.ts'
import type { OnnxOpType } from '../../graph/recurrent/attributes.ts'
import type { NodeParts } from '../../graph/recurrent/node.ts'
import { anything, oneOf, plainObject, readOptions } from '../../options/checks.ts'
import { readTensor } from '../../tensor/read.ts'

/** Reads each property once. */
export function readNodeParts(node: unknown): NodeParts {
  const read = readOptions(
    node,
    {
      opType: anything,
      // A getter among the attributes has run before any tensor is looked at.
      attributes: plainObject,
      W: readTensor,
      R: readTensor,
      B: readTensor,
      P: readTensor,
    },
    'an ONNX node',
  )
  const opType = oneOf<OnnxOpType>('RNN', 'GRU', 'LSTM')(read.opType, 'opType')
  const { W, R, B, P } = read
  if (W === undefined) failOption('W is missing: an ONNX node needs its input weights')
  if (R === undefined) failOption('R is missing: an ONNX node needs its recurrent weights')
  return { opType, attributes: read.attributes ?? {}, W, R, B, P }
}
