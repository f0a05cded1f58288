/** Frames for tests of batchers. */

export const I = 6

export function frame(n: number): Float32Array {
  return Float32Array.from({ length: I }, (_, i) => Math.sin(n * 7.1 + i * 1.9))
}
