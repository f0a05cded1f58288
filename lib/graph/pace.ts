/** Long computations that stop now and then, so that a thread may do other things in between. */

/** What is made in steps; between two of them nobody waits for its end. */
export type Pass<T> = Generator<void, T>

/** Values that are computed between two stops: a fraction of a millisecond to one. */
export const stretch = 2 ** 14

/** The result of what may come in steps, all of which are taken now. */
export function finished<T>(pass: T | Pass<T>): T {
  if (!isPass(pass)) return pass
  for (;;) {
    const next = pass.next()
    if (next.done) return next.value
  }
}

const isPass = <T>(made: T | Pass<T>): made is Pass<T> => typeof made === 'object' && made !== null && 'next' in made

/** The same for who goes in steps as well. */
export function* inSteps<T>(made: T | Pass<T>): Pass<T> {
  return isPass(made) ? yield* made : made
}

/** Counts work, in values. */
export class Pace {
  #left = stretch

  /** Whether it is time for a stop after so much more. */
  isOver(work: number): boolean {
    this.#left -= work
    if (this.#left > 0) return false
    this.#left = stretch
    return true
  }
}

/** Calls `body` for all of so many values, some at a time, each of which takes as long as `work` others. */
export function* inStretches(count: number, body: (from: number, to: number) => void, work = 1): Pass<void> {
  const most = Math.max(1, Math.floor(stretch / work))
  for (let from = 0; from < count; from += most) {
    if (from > 0) yield
    body(from, Math.min(count, from + most))
  }
}

/** The same for rows of `length` values: a long one comes in parts, an empty one all the same. */
export function* rowByRow(
  rows: number,
  length: number,
  body: (row: number, from: number, to: number) => void,
  work = 1,
): Pass<void> {
  const most = Math.max(1, Math.floor(stretch / work))
  const pace = new Pace()
  for (let row = 0; row < rows; row++) {
    for (let from = 0; ; from += most) {
      const to = Math.min(length, from + most)
      body(row, from, to)
      if (pace.isOver(work * (to - from) + 4)) yield
      if (to >= length) break
    }
  }
}
