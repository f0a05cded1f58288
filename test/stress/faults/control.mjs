/** The two switches: the addon's allocations by the file that test/native/faults.cpp maps, JavaScript's arrays by their constructors. */
import { openSync, readSync, writeSync } from 'node:fs'

const places = { failAt: 0, forGood: 1, count: 2, live: 3 }
const bytes = new DataView(new ArrayBuffer(8))

/** A switch on the addon's allocations, those of Node-API and of threads included. */
export function addonSwitch(path) {
  const file = openSync(path, 'r+')
  const write = (place, value) => {
    bytes.setBigInt64(0, BigInt(value), true)
    writeSync(file, bytes, 0, 8, places[place] * 8)
  }
  const read = (place) => {
    readSync(file, bytes, 0, 8, places[place] * 8)
    return Number(bytes.getBigInt64(0, true))
  }
  return {
    arm(failAt, forGood) {
      write('forGood', forGood ? 1 : 0)
      write('count', 0)
      write('failAt', failAt)
    },
    /** How many allocations there were since. */
    disarm() {
      write('failAt', 0)
      return read('count')
    },
    live: () => read('live'),
  }
}

/** A switch on the arrays that JavaScript makes, which V8 refuses with this error when there is no memory. */
export function arraySwitch() {
  let failAt = 0
  let forever = false
  let count = 0
  for (const name of ['Float32Array', 'Int32Array', 'Uint8Array', 'SharedArrayBuffer', 'ArrayBuffer']) {
    const original = globalThis[name]
    const watched = new Proxy(original, {
      construct(target, values, made) {
        // A view takes no memory but V8's own, whose end is the end of any process.
        if (
          typeof values[0] === 'object' &&
          values[0] !== null &&
          'byteLength' in values[0] &&
          !ArrayBuffer.isView(values[0])
        ) {
          return Reflect.construct(target, values, made === watched ? target : made)
        }
        count++
        if (failAt && (count === failAt || (forever && count > failAt)))
          throw new RangeError('Array buffer allocation failed')
        return Reflect.construct(target, values, made === watched ? target : made)
      },
    })
    globalThis[name] = watched
    // What `slice` makes its result with.
    original.prototype.constructor = watched
  }
  return {
    arm(at, forGood) {
      count = 0
      forever = forGood
      failAt = at
    },
    disarm() {
      failAt = 0
      return count
    },
  }
}
