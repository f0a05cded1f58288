/** The fingerprint of a model: a hash of its structure, its constants and the formats of its weights, by which a saved state knows what it belongs to. */

import type { FlatGraph, Step } from '../graph/plan.ts'
import type { GraphTensor } from '../graph/tensor.ts'
import { sha256 } from '../platform/hash.ts'
import type { Precision } from '../spec/weight-types.ts'
import { littleEndian } from '../tensor/bytes.ts'

/** The 32 bytes of a SHA-256. */
export function fingerprintOf(graph: FlatGraph, precision: Precision): Uint8Array {
  return sha256(parts(graph, precision))
}

function* parts(
  { constants, steps, inputs, outputs }: FlatGraph,
  { weights, activations }: Precision,
): Generator<string | Uint8Array> {
  const faces = [inputs, outputs].map((values) => values.map(({ name, type, value }) => [name, type, value]))
  yield JSON.stringify(faces)
  // Float32 goes without saying, as in states that were saved before there was anything else.
  if (weights !== 'f32') yield `${weights} × ${activations}`
  for (const [value, tensor] of constants) {
    yield `${value}:`
    yield* tensorParts(tensor)
    if (weights === 'int8' && tensor.scales) yield littleEndian(tensor.scales.values)
  }
  for (const step of steps) yield* stepParts(step)
}

function* stepParts({
  domain,
  opType,
  opset,
  inputs,
  outputs,
  attributes,
  branches,
}: Step): Generator<string | Uint8Array> {
  yield JSON.stringify([domain, opType, opset, inputs, outputs, branches?.length])
  for (const [name, value] of attributes) {
    yield JSON.stringify(name)
    if (typeof value === 'object' && 'data' in value) yield* tensorParts(value)
    else yield JSON.stringify(value, exactly)
  }
  for (const { steps, outputs } of branches ?? []) {
    yield JSON.stringify([steps.length, outputs])
    for (const inner of steps) yield* stepParts(inner)
  }
}

/** JSON has no bigints, one word for all numbers that are not finite, and 0 for −0. */
function exactly(_key: string, one: unknown): unknown {
  if (typeof one === 'bigint') return `${one}n`
  if (Object.is(one, -0)) return '-0'
  return typeof one === 'number' && !Number.isFinite(one) ? String(one) : one
}

function* tensorParts({ type, shape, data }: GraphTensor): Generator<string | Uint8Array> {
  yield JSON.stringify([type, shape])
  yield littleEndian(data)
}
