/** The figures of the weight formats as text: a line a shape while they are timed. */
import { gain, geometric, integers, kinds, meanFrom, narrow } from './kinds.mjs'

export const us = (value) =>
  value === undefined ? '–' : value < 1000 ? value.toPrecision(3) : String(Math.round(value))
export const number = (value) => (value === undefined ? '–' : value.toFixed(2))

const width = 25

/** The titles of the columns: µs, times float32, limit / measured. */
export const titles = (rivals) =>
  ['shape'.padEnd(31), ...[...kinds.map(({ name }) => name), ...rivals].map((name) => name.padStart(width))].join('')

/** One shape's line; of a rival how many times longer than int8 × int8 it takes. */
export function line(result, rivals) {
  const cells = kinds.map((kind) => {
    const near = result.limits[kind.name]
    return `${us(result.times[kind.name].us)} µs ${number(gain(result, kind))}×${near ? ` (${number(near.reached)})` : ''}`
  })
  const others = rivals.map((name) => {
    const time = result.times[name]
    return time ? `${us(time.us)} µs ${number(time.us / result.times[integers.name].us)}×` : '–'
  })
  return [result.name.padEnd(31), ...[...cells, ...others].map((cell) => cell.padStart(width))].join('')
}

/** The streams of a cell that the means are over. */
export const large = (results, cell) =>
  results.filter((result) => result.cell === cell && result.group === 'stream' && result.H >= meanFrom)

/** Of each kind the geometric mean of the times that it is faster than float32. */
export const means = (results) => narrow.map((kind) => geometric(results.map((result) => gain(result, kind))))
