/** What products take where their tiles are not whole, and rows that should stay together. */

/** The work of a few rows of a matrix, which share one reading of it, where that is not long. */
export const rowsOf = (weights: number): number =>
  [8, 4].map((rows) => rows * weights).find((work) => work <= 1.2e7) ?? 0

/** Sums come in tiles, whole ones or not. */
export const wholeTiles = (N: number): number => Math.ceil(N / 8) * 8
