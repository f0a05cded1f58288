/** Brings a drawing to 28 × 28 pixels as MNIST's digits are: 20 pixels at its longer side, its centre of mass in the middle. */

const SIZE = 28
const LONGER = 20

/** @param ink values from 0 to 1, `width` a row */
export function centred(ink, width) {
  const image = new Float32Array(SIZE * SIZE)
  let [left, right, top, bottom, sum, x, y] = [width, -1, width, -1, 0, 0, 0]
  ink.forEach((value, i) => {
    if (value === 0) return
    const [column, row] = [i % width, Math.floor(i / width)]
    left = Math.min(left, column)
    right = Math.max(right, column)
    top = Math.min(top, row)
    bottom = Math.max(bottom, row)
    sum += value
    x += value * column
    y += value * row
  })
  if (sum === 0) return image
  const scale = Math.max(right - left, bottom - top, 1) / LONGER
  const [middleX, middleY] = [x / sum, y / sum]
  const steps = Math.max(1, Math.round(scale))
  for (let row = 0; row < SIZE; row++) {
    for (let column = 0; column < SIZE; column++) {
      let total = 0
      for (let n = 0; n < steps * steps; n++) {
        const fromX = Math.round(middleX + (column - SIZE / 2 + ((n % steps) + 0.5) / steps) * scale)
        const fromY = Math.round(middleY + (row - SIZE / 2 + (Math.floor(n / steps) + 0.5) / steps) * scale)
        const isInside = fromX >= 0 && fromX < width && fromY >= 0 && fromY < ink.length / width
        total += isInside ? ink[fromY * width + fromX] : 0
      }
      image[row * SIZE + column] = total / (steps * steps)
    }
  }
  return image
}
