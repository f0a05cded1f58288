/** What the comments of a page become when its blocks run: `→` compares a value, `throws` an error. Loaded before each program. */
import { isDeepStrictEqual } from 'node:util'

// A page shows four decimals of a number that is no integer.
const tolerance = 5.1e-5

function alike(came, shown) {
  if (typeof shown === 'number' && typeof came === 'number') {
    return Number.isInteger(shown) ? Object.is(came, shown) : Math.abs(came - shown) <= tolerance
  }
  if (ArrayBuffer.isView(came)) return alike(Array.from(came), shown)
  if (Array.isArray(shown)) {
    return Array.isArray(came) && came.length === shown.length && shown.every((value, i) => alike(came[i], value))
  }
  return isDeepStrictEqual(came, shown)
}

globalThis.__is = async (run, shown, place) => {
  const came = await run()
  if (!alike(came, shown)) throw new Error(`${place} shows ${JSON.stringify(shown)}, and it is ${JSON.stringify(came)}`)
}

globalThis.__throws = async (run, code, words, place) => {
  let came = 'nothing'
  try {
    await run()
  } catch (error) {
    came = `${error.code ?? error.name}: ${error.message}`
  }
  if (came !== `${code}: ${words}`) throw new Error(`${place} shows\n${code}: ${words}\nand what is thrown is\n${came}`)
}
