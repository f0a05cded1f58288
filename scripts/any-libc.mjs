// Takes the C library's names out of what a Linux addon asks to be loaded. Node has one in any case, and so does libstdc++, which stays asked for:
// glibc's or musl's, whichever. The versions of glibc's symbols stay too, which glibc looks at and musl does not. Bun on musl refuses files that
// name glibc's libraries, though musl's own loader takes their names as its own.
import { readFileSync, writeFileSync } from 'node:fs'

const libc = /^(lib(c|m|dl|pthread|rt|util)|ld-linux-[\w-]+)\.so\.\d+$/
const [dynamic, none, needed, stringTable] = [2, 0, 1, 5]

/** Where the program headers of a 64-bit little-endian file lie. */
export function segmentsOf(binary) {
  const [start, size, count] = [Number(binary.readBigUInt64LE(32)), binary.readUInt16LE(54), binary.readUInt16LE(56)]
  return Array.from({ length: count }, (_, i) => start + i * size)
}

/** Reads the table of such a file by which its loader goes: entries of a tag and a value, where they lie, and the text at a value. */
function loaderTable(binary) {
  const word = (at) => Number(binary.readBigUInt64LE(at))
  const segments = segmentsOf(binary)
  const place = segments.find((at) => binary.readUInt32LE(at) === dynamic)
  const entries = []
  for (let at = word(place + 8); ; at += 16) {
    entries.push([word(at), word(at + 8)])
    if (entries.at(-1)[0] === none) break
  }
  const address = entries.find(([tag]) => tag === stringTable)[1]
  const holds = segments.find((at) => {
    const from = word(at + 16)
    return binary.readUInt32LE(at) === 1 && address >= from && address < from + word(at + 32)
  })
  const strings = address - word(holds + 16) + word(holds + 8)
  const text = (value) => binary.toString('latin1', strings + value, binary.indexOf(0, strings + value))
  return { start: word(place + 8), entries, text }
}

/** The names of the libraries that a Linux addon wants loaded. */
export function neededBy(file) {
  const { entries, text } = loaderTable(readFileSync(file))
  return entries.filter(([tag]) => tag === needed).map(([, value]) => text(value))
}

/** Rewrites the file without those of the C library. */
export function forAnyLibc(file) {
  const binary = readFileSync(file)
  const { start, entries, text } = loaderTable(binary)
  const kept = entries.filter(([tag, value]) => tag !== needed || !libc.test(text(value)))
  for (let i = 0; i < entries.length; i++) {
    const [tag, value] = kept[i] ?? [none, 0]
    binary.writeBigUInt64LE(BigInt(tag), start + i * 16)
    binary.writeBigUInt64LE(BigInt(value), start + i * 16 + 8)
  }
  writeFileSync(file, binary)
}
