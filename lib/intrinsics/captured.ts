/**
 * What the language gives, as it was when the package was loaded. A script may replace methods, getters and constructors later; where an
 * array's true length or the memory of the engine is at stake, nothing goes through them, for a method also sees the array it is
 * called on, and could take its memory away.
 */

/** f.call as a function of its own: no look-up of `call` when it is used. */
// biome-ignore lint/suspicious/noExplicitAny: the type is the caller's to say
export const uncurried: (f: (...values: any[]) => unknown) => any = Function.prototype.bind.bind(
  Function.prototype.call,
)

/** The getter of a property as a function of the object. */
export function getterOf<T>(prototype: object, key: PropertyKey): (value: unknown) => T {
  return uncurried(Object.getOwnPropertyDescriptor(prototype, key)!.get!)
}

const Floats = Float32Array
const Ints = Int32Array
const Doubles = Float64Array
const Buffer = ArrayBuffer
const SharedBuffer = sharedBuffer()
const Bytes = Uint8Array
const Halves = Uint16Array
/** The prototype that all typed arrays have in common. */
export const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object

/** The buffer of a typed array, and where in it the array begins, in bytes. */
export const typedBuffer = getterOf<ArrayBufferLike>(typedArray, 'buffer')
export const offsetOf = getterOf<number>(typedArray, 'byteOffset')

/** The true length of a typed array in bytes. */
export const bytesIn = getterOf<number>(typedArray, 'byteLength')

export const { create, defineProperty, freeze, getPrototypeOf, hasOwn, keys } = Object
export const { abs, ceil, clz32, cos, exp, expm1, floor, fround, imul, log, log1p, max, min, sqrt, tanh } = Math
export const { isInteger, isSafeInteger } = Number
export const { isArray } = Array

/** `map.get(key)` and its like: what lies in a map is shown to nobody. */
export const mapGet: <K, V>(map: ReadonlyMap<K, V>, key: K) => V | undefined = uncurried(Map.prototype.get)
export const mapHas: <K>(map: ReadonlyMap<K, unknown>, key: K) => boolean = uncurried(Map.prototype.has)
export const mapSet: <K, V>(map: Map<K, V>, key: K, value: V) => void = uncurried(Map.prototype.set)
export const mapDelete: <K>(map: Map<K, unknown>, key: K) => void = uncurried(Map.prototype.delete)
export const mapEach: <V>(map: ReadonlyMap<unknown, V>, use: (value: V) => void) => void = uncurried(
  Map.prototype.forEach,
)

/** Zeros. */
export function zeros(length: number): Float32Array<ArrayBuffer> {
  return new Floats(length)
}

/** Zeros in double precision. */
export function newDoubles(length: number): Float64Array<ArrayBuffer> {
  return new Doubles(length)
}

/** Zeros in a buffer of their own, which stays where it is: native code may point to it. */
export function newFloats(length: number): Float32Array<ArrayBuffer> {
  return new Floats(new Buffer(length * 4))
}

/** The same of integers. */
export function newInts(length: number): Int32Array<ArrayBuffer> {
  return new Ints(new Buffer(length * 4))
}

/** Pages that are not isolated hide the name; shared memory of WebAssembly still shows what it would stand for. */
function sharedBuffer(): SharedArrayBufferConstructor | undefined {
  if (typeof SharedArrayBuffer === 'function') return SharedArrayBuffer
  try {
    // biome-ignore lint/suspicious/noExplicitAny: no types of this package say that there is WebAssembly
    const { Memory } = (globalThis as any).WebAssembly
    return new Memory({ initial: 0, maximum: 0, shared: true }).buffer.constructor
  } catch {
    return undefined
  }
}

const ownBytesIn = getterOf<number>(Buffer.prototype, 'byteLength')
/** Whether this runtime has memory that threads share. */
export const hasSharedMemory = SharedBuffer !== undefined
const sharedBytesIn = SharedBuffer && getterOf<number>(SharedBuffer.prototype, 'byteLength')

/** Whether a buffer of any realm is truly shared memory. */
export function isShared(buffer: ArrayBufferLike): boolean {
  if (!sharedBytesIn) return false
  // The getters throw where the buffer is of the other kind, which takes microseconds: what it seems to be is asked about first.
  if (getPrototypeOf(buffer) !== SharedBuffer!.prototype && has(ownBytesIn, buffer)) return false
  return has(sharedBytesIn, buffer)
}

function has(bytesOf: (buffer: unknown) => number, buffer: ArrayBufferLike): boolean {
  try {
    bytesOf(buffer)
    return true
  } catch {
    return false
  }
}

/** Zeros in memory that cannot be detached, and that other threads can have too; where the runtime has none, in common memory. */
export function newSharedFloats(length: number): Float32Array<ArrayBufferLike> {
  return new Floats(new (SharedBuffer ?? Buffer)(length * 4))
}

/** Floats over a part of an array's memory, `from` floats from its beginning. */
export function viewOf<Buffer extends ArrayBufferLike>(
  values: Float32Array<Buffer> | Uint8Array<Buffer>,
  from: number,
  count: number,
): Float32Array<Buffer> {
  return new Floats(typedBuffer(values) as Buffer, offsetOf(values) + from * 4, count)
}

/** The memory of a whole array as integers. */
export function intsOver(values: Float32Array | Int32Array): Int32Array {
  return new Ints(typedBuffer(values))
}

/** The bits of floats as integers, in the same memory. */
export function intsOf(values: Float32Array): Int32Array {
  return new Ints(typedBuffer(values), offsetOf(values), bytesIn(values) / 4)
}

/** Units of 16 bits over a part of an array's memory, `from` floats from its beginning. */
export function halvesOver(values: Float32Array, from: number, count: number): Uint16Array {
  return new Halves(typedBuffer(values), offsetOf(values) + from * 4, count)
}

/** Bytes over a part of an array's memory, `from` floats from its beginning. */
export function bytesOver(values: Float32Array, from: number, count: number): Uint8Array {
  return new Bytes(typedBuffer(values), offsetOf(values) + from * 4, count)
}

/** One integer at a place of an array's buffer, in bytes. */
export function intsAt(values: Float32Array, byteOffset: number): Int32Array {
  return new Ints(typedBuffer(values), byteOffset, 1)
}

/** A whole buffer as floats, integers, doubles. */
export const floatsOn = (buffer: ArrayBufferLike): Float32Array => new Floats(buffer)
export const intsOn = (buffer: ArrayBufferLike): Int32Array => new Ints(buffer)
export const doublesOn = (buffer: ArrayBufferLike): Float64Array => new Doubles(buffer)

/** A copy in a buffer of its own. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Bytes(bytes)
}

/** The memory of a whole array as floats. */
export function floatsOver(values: Float32Array | Uint8Array): Float32Array {
  return new Floats(typedBuffer(values))
}

/** The bytes of a typed array, in the same memory. */
export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Bytes(typedBuffer(values), offsetOf(values), bytesIn(values))
}

/** A part of some bytes, in the same memory. */
export function viewOfBytes(bytes: Uint8Array, from: number, count: number): Uint8Array {
  return new Bytes(typedBuffer(bytes), offsetOf(bytes) + from, count)
}

/** A copy in a buffer of its own. */
export function copyOf(values: Float32Array): Float32Array<ArrayBuffer> {
  return new Floats(values)
}

/** A copy in a buffer of its own. */
export function copyOfInts(values: Int32Array): Int32Array<ArrayBuffer> {
  return new Ints(values)
}

/** A copy of a part, as fast as `slice`: a few values by a loop, more by a view of them. */
export function copyOfRange(values: Float32Array, from: number, count: number): Float32Array<ArrayBuffer> {
  if (count > 16) return new Floats(viewOf(values, from, count))
  const copy = new Floats(count)
  for (let i = 0; i < count; i++) copy[i] = values[from + i]
  return copy
}

/** `target.set(source, offset)`, of any typed array. */
export const setValues: {
  (target: Float32Array | Float64Array | Int32Array | Uint8Array, source: ArrayLike<number>, offset?: number): void
  /** Of two typed arrays of one kind. */
  (target: ArrayBufferView, source: ArrayBufferView, offset?: number): void
} = uncurried(Floats.prototype.set)

/** Copies by loops are faster than by views up to about so many values. */
const fewValues = 32

/** target[at] … = source[from] …, `count` values. */
export function copyFloats(target: Float32Array, at: number, source: Float32Array, from: number, count: number): void {
  if (count > fewValues) setValues(target, viewOf(source, from, count), at)
  else for (let i = 0; i < count; i++) target[at + i] = source[from + i]
}

/** `target.fill(value, start, end)`, of any typed array. */
export const fillValues: (target: ArrayBufferView, value: number | bigint, start?: number, end?: number) => void =
  uncurried(Floats.prototype.fill)

/** Milliseconds since some moment. */
export function now(): number {
  return typeof performance === 'undefined' ? Date.now() : performance.now()
}

/** A promise and what settles it. */
export interface Deferred<T> {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (reason: unknown) => void
}

const Settleable = Promise
let newestResolve: Deferred<unknown>['resolve']
let newestReject: Deferred<unknown>['reject']
const keep = (resolve: typeof newestResolve, reject: typeof newestReject): void => {
  newestResolve = resolve
  newestReject = reject
}
// Compiled here: near the end of the stack there is no room for that, and the promise would reject with nobody to hear of it.
new Settleable(keep)

/** A promise that no script has a hand in the making of. */
export function deferred<T>(): Deferred<T> {
  const promise = new Settleable<T>(keep as ConstructorParameters<typeof Settleable<T>>[0])
  return { promise, resolve: newestResolve, reject: newestReject }
}

/** The same for what is started with it: what `start` throws rejects. */
export function newPromise<T>(
  start: (resolve: (value: T) => void, reject: (reason: unknown) => void) => void,
): Promise<T> {
  const { promise, resolve, reject } = deferred<T>()
  try {
    start(resolve, reject)
  } catch (error) {
    reject(error)
  }
  return promise
}

/** `map.get(key)` and its like, of weak maps. */
export const weakGet: <K extends object, V>(map: WeakMap<K, V>, key: K) => V | undefined = uncurried(
  WeakMap.prototype.get,
)
export const weakSet: <K extends object, V>(map: WeakMap<K, V>, key: K, value: V) => void = uncurried(
  WeakMap.prototype.set,
)
export const weakDelete: <K extends object>(map: WeakMap<K, unknown>, key: K) => void = uncurried(
  WeakMap.prototype.delete,
)
