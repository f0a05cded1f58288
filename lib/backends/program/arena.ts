/** Gives all memory of a program its place: what may lie within what, and scratch by the lives of its parts. */

import { type Instruction, isPointwise, isView, placeOf, replaced, spanOf, viewsOf } from './emit.ts'
import type { Memory, View } from './views.ts'

/** Parts begin at cache lines. */
const line = 64

export const aligned = (bytes: number): number => Math.ceil(bytes / line) * line

type Span = ReturnType<typeof spanOf>

/** From the instruction that first touches it to the one that last does. */
interface Life {
  first: number
  last: number
}

/** Lives of roots; instructions of both branches of a condition count as if they ran one after the other. */
function livesOf(code: readonly Instruction[]): Map<Memory, Life> {
  const lives = new Map<Memory, Life>()
  for (const [i, instruction] of code.entries()) {
    for (const view of viewsOf(instruction)) {
      const { memory } = placeOf(view.memory)
      const life = lives.get(memory)
      if (life) life.last = i
      else lives.set(memory, { first: i, last: i })
    }
  }
  return lives
}

const alike = (a: View, b: View) =>
  a.type === b.type &&
  a.shape.length === b.shape.length &&
  a.shape.every((size, axis) => size === b.shape[axis] && (size === 1 || a.strides[axis] === b.strides[axis]))

/** Whether it is all of a part of scratch. */
const isAllScratch = ({ memory, first, end }: Span) =>
  memory.region === 'scratch' && first === 0 && end === memory.bytes

/** Operators of one place write over an input that nobody needs afterwards. */
export function writeInPlace(code: readonly Instruction[]): void {
  const lives = livesOf(code)
  for (const [i, instruction] of code.entries()) {
    const [y] = instruction.outputs
    if (!isPointwise(instruction) || y === undefined) continue
    const to = spanOf(y)
    const own = lives.get(to.memory)!
    if (!isAllScratch(to) || own.first !== i) continue
    const inputs = instruction.inputs.filter(isView)
    const found = inputs.find((x) => {
      const from = spanOf(x)
      const others = inputs.filter((one) => one !== x && spanOf(one).memory === from.memory)
      return (
        from.memory.region === 'scratch' &&
        lives.get(from.memory)!.last === i &&
        alike(x, y) &&
        others.every((one) => alike(one, x) && spanOf(one).first === from.first)
      )
    })
    if (found === undefined) continue
    const from = spanOf(found)
    to.memory.within = { memory: from.memory, bytes: from.first }
    lives.get(from.memory)!.last = own.last
    lives.delete(to.memory)
  }
}

/** What is only made to be copied into a part of something larger is made there; gives the instructions that are left. */
export function copiesLeft(code: readonly Instruction[]): Instruction[] {
  const lives = livesOf(code)
  const left = code.map((instruction, i) => (isMadeInPlace(code, lives, instruction, i) ? [] : [instruction]))
  return replaced(code, left)
}

function isMadeInPlace(
  code: readonly Instruction[],
  lives: Map<Memory, Life>,
  { name, inputs: [x], outputs: [y] }: Instruction,
  i: number,
): boolean {
  if (name !== 'copy' || !isView(x) || !y || !alike(x, y)) return false
  const [from, to] = [spanOf(x), spanOf(y)]
  const life = lives.get(from.memory)
  if (life === undefined || !isAllScratch(from) || from.memory === to.memory || to.memory.isInput) return false
  for (let k = life.first; k <= life.last; k++) {
    if (k !== i && interferes(code[k], to, k > i)) return false
    if (k > i && code[k].outputs.some((view) => view && placeOf(view.memory).memory === from.memory)) return false
  }
  from.memory.within = { memory: to.memory, bytes: to.first }
  const target = lives.get(to.memory)!
  target.first = Math.min(target.first, life.first)
  target.last = Math.max(target.last, life.last)
  lives.delete(from.memory)
  return true
}

/** Whether an instruction touches these bytes; only reading them afterwards does no harm. */
function interferes({ inputs, outputs }: Instruction, { memory, first, end }: Span, mayRead: boolean) {
  const touched = mayRead ? outputs : [...inputs, ...outputs]
  return touched
    .filter(isView)
    .map(spanOf)
    .some((span) => span.memory === memory && span.first < end && first < span.end)
}

/** Places of everything in scratch, the largest first, each as low as those allow that live at the same time. Gives the bytes of all. */
export function placeScratch(code: readonly Instruction[]): number {
  const all = [...livesOf(code)].filter(([memory]) => memory.region === 'scratch')
  all.sort(([a], [b]) => b.bytes - a.bytes)
  const placed: { life: Life; first: number; end: number }[] = []
  let bytes = 0
  for (const [memory, life] of all) {
    const beside = placed
      .filter((one) => one.life.first <= life.last && life.first <= one.life.last)
      .sort((a, b) => a.first - b.first)
    let at = 0
    for (const { first, end } of beside) {
      if (at + memory.bytes <= first) break
      at = Math.max(at, aligned(end))
    }
    memory.offset = at
    placed.push({ life, first: at, end: at + memory.bytes })
    bytes = Math.max(bytes, at + memory.bytes)
  }
  return aligned(bytes)
}

/** Places of constants one after the other, and their values in memory of so many bytes, which is asked for once. */
export function placeConstants(code: readonly Instruction[], memory: (bytes: number) => Uint8Array): Uint8Array {
  const all = [...livesOf(code).keys()].filter(({ region }) => region === 'constants')
  let bytes = 0
  for (const memory of all) {
    memory.offset = bytes
    bytes += aligned(memory.bytes)
  }
  const made = memory(bytes)
  for (const { offset, data } of all) made.set(new Uint8Array(data!.buffer, data!.byteOffset, data!.byteLength), offset)
  return made
}
