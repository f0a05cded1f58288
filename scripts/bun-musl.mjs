// Bun for musl with musl's own stacks, in build-musl/bun: its file asks for threads of 8 MB, where those of other programs, as Node's, get 128 KB.
// Prints the path. It wants musl's libstdc++ (build-musl-runtime.sh) by LD_LIBRARY_PATH.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { segmentsOf } from './any-libc.mjs'
import { runtime } from './runtime.mjs'

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'build-musl', 'bun')
const binary = readFileSync(runtime('@oven/bun-linux-x64-musl@1'))
const stack = 0x6474e551 // PT_GNU_STACK
const segment = segmentsOf(binary).find((at) => binary.readUInt32LE(at) === stack)
if (segment === undefined) throw new Error('no segment says how large stacks are')
binary.writeBigUInt64LE(0n, segment + 40)
mkdirSync(dirname(file), { recursive: true })
writeFileSync(file, binary, { mode: 0o755 })
console.log(file)
