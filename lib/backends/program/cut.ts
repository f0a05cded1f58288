/** Instructions that take long as several short ones, each of a part of what the whole makes, so that a thread may do other things in between. */

import { type Divisible, made } from './cut-rule.ts'
import { rules } from './cut-rules.ts'
import { type Instruction, replaced } from './emit.ts'
import { orderOf } from './views.ts'

/** The most instructions that one program's are cut into. */
const mostParts = 2 ** 16

/** Whole tiles where there are more. */
const tile = 8

function partsOf(instruction: Instruction, most: number): Instruction[] {
  const rule = rules[instruction.name]?.(instruction)
  const limit = Math.max(most, rule?.least ?? 0)
  if (rule === undefined || rule.work <= limit) return [instruction]
  const others = (code = rule.instead?.()) => code?.flatMap((one) => partsOf(one, most))
  const whole = rule.isInsteadFirst ? others() : undefined
  return whole ?? along(instruction, rule, most, limit) ?? others() ?? [instruction]
}

/** Cut along the axis that lies furthest out; undefined where there is none. */
function along(instruction: Instruction, rule: Divisible, most: number, limit: number): Instruction[] | undefined {
  const y = made(instruction)
  const fewest = (axis: number) => rule.fewest?.(axis) ?? 1
  const axis = orderOf(y).find((one) => rule.axes.includes(one) && y.shape[one] > fewest(one))
  if (axis === undefined) return undefined
  const even = Math.ceil(y.shape[axis] / Math.ceil(rule.work / limit))
  const size = Math.max(even > tile ? even - (even % tile) : even, fewest(axis))
  const parts: Instruction[] = []
  for (let from = 0; from < y.shape[axis]; from += size) {
    const part = rule.part(axis, from, Math.min(size, y.shape[axis] - from))
    if (part === undefined) return undefined
    for (const one of partsOf(part, most)) parts.push(one)
  }
  return parts
}

/** The same program in instructions that take as long as `most` multiply-adds, where they can be cut so far. */
export function cut(code: readonly Instruction[], most: number): Instruction[] {
  const total = code.reduce((sum, one) => sum + (rules[one.name]?.(one).work ?? 0), 0)
  const parts = code.map((one) => partsOf(one, Math.max(most, total / mostParts)))
  return replaced(code, parts)
}
