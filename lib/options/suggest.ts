/** Which known name somebody probably meant. */

/** The known name that was probably meant, if one is close: PyTorch's spelling counts as equal. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.slice(0, 64).replaceAll('_', '').toLowerCase()
  const wanted = plain(name)
  let best: string | undefined
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of known) {
    const distance = edits(wanted, plain(candidate))
    // Two letters that differ by one are no likeness: h0 is not c0.
    if (distance < least && distance < candidate.length - 1) {
      best = candidate
      least = distance
    }
  }
  return best
}

/** The least number of letters to insert, delete or replace. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]
}
