/** What a child process writes results with after a script has replaced what the language gives: all of it taken before. */
export const instruments = `
import { writeSync } from 'node:fs'
const Floats = Float32Array, Ints = Int32Array
const bits = new Ints(1), bit = new Floats(bits.buffer)
const { imul } = Math, text = String, Failure = Error
const lengthOf = Function.prototype.call.bind(
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Floats.prototype), 'length').get)
function say(name, values) {
  let hash = 7
  for (let i = 0; i < lengthOf(values); i++) {
    bit[0] = values[i]
    hash = imul(hash, 31) + bits[0] | 0
  }
  writeSync(1, name + ' ' + lengthOf(values) + ' ' + hash + '\\n')
}
async function attempt(name, act) {
  try { await act() } catch (error) {
    writeSync(1, name + (error instanceof Failure ? ' failed: ' + text(error.message).split('\\n')[0] : ' failed oddly') + '\\n')
  }
}
const wave = (count) => {
  const values = new Floats(count)
  for (let i = 0; i < count; i++) values[i] = ((i * 37) % 64) / 32 - 1
  return values
}
`
