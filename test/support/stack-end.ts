/** Calls near the end of the stack. */

/** Makes a call at every depth, from the end of the stack upward, with frames of several sizes between: how many failed there, and how many were done. */
export function atEveryDepth(depths: number, call: () => void): { failed: number; done: number } {
  const counts = { failed: 0, done: 0 }
  for (let size = 0; size < 4; size++) {
    let left = depths
    const dig = (...values: number[]): void => {
      try {
        dig(...values)
      } catch {}
      if (left-- <= 0) return
      try {
        call()
        counts.done++
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        counts.failed++
      }
    }
    dig(...Array.from({ length: size }, () => 1))
  }
  return counts
}
