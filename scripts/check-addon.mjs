// What a prebuilt Linux addon promises, read off the file with objdump: it loads on old systems (glibc, libstdc++) and on musl, is
// small and stripped. `node scripts/check-addon.mjs <file.node> …` prints what it found and fails where a promise breaks.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { neededBy } from './any-libc.mjs'

/** Node 20's own floor is glibc 2.28; its libstdc++ is that of gcc 8. */
const floors = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11' }
/** Of one binary within the tarball. */
const maxPacked = 1_000_000

/** What it may ask of the C library: names that glibc and musl (1.2.3, on both processors) have, for the same with the same arguments. */
const common =
  `__cxa_finalize __sched_cpucount dladdr dlopen fmaxf free getauxval getenv madvise malloc memcmp memcpy memmove memset mmap munmap
  prctl pthread_cond_broadcast pthread_cond_signal pthread_cond_wait pthread_create pthread_mutex_lock pthread_mutex_unlock sched_getaffinity
  sched_getcpu sched_setaffinity sched_yield strlen syscall sysconf`.split(/\s+/)
/** Debian's musl, where it is installed. */
const musl = '/lib/ld-musl-x86_64.so.1'

const namesOf = (symbols) => symbols.split('\n').map((line) => line.trim().split(/\s+/).at(-1))

const parts = (version) => version.split('.').map(Number)
function newer(a, b) {
  const [x, y] = [parts(a), parts(b)]
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    if ((x[i] ?? 0) !== (y[i] ?? 0)) return (x[i] ?? 0) > (y[i] ?? 0)
  }
  return false
}

/** Why an addon that wants these libraries loaded, and these names of the C library, may not run on musl. */
function problemsOnMusl(libraries, wanted) {
  const problems = []
  const strange = wanted.filter((name) => !common.includes(name))
  if (strange.length > 0) problems.push(`asks the C library for more than musl is known to have: ${strange.join(' ')}`)
  if (existsSync(musl)) {
    const has = new Set(namesOf(execFileSync('objdump', ['-T', musl], { encoding: 'utf8' })))
    const lacks = common.filter((name) => !has.has(name))
    if (lacks.length > 0) problems.push(`${musl} lacks ${lacks.join(' ')}`)
  }
  const others = libraries.filter((name) => !/^lib(stdc\+\+\.so\.6|gcc_s\.so\.1)$/.test(name))
  if (others.length > 0) problems.push(`needs ${others.join(' ')}`)
  return problems
}

/** The lines that describe the addon; throws where it breaks a promise. `anyLibc`: also where it could not run on musl, as one built on its machine need not. */
export function checkAddon(file, { anyLibc = false } = {}) {
  const binary = readFileSync(file)
  const packed = gzipSync(binary, { level: 9 }).length
  const problems = packed > maxPacked ? [`${packed} bytes packed, more than ${maxPacked}`] : []
  const lines = [`${binary.length} bytes, ${packed} packed`]
  if (process.platform === 'linux') {
    const magic = binary.subarray(0, 20)
    const tool = magic.readUInt16LE(18) === 183 && process.arch !== 'arm64' ? 'aarch64-linux-gnu-objdump' : 'objdump'
    const symbols = execFileSync(tool, ['-T', file], { encoding: 'utf8' })
    for (const [library, floor] of Object.entries(floors)) {
      const wanted = [...symbols.matchAll(new RegExp(`\\b${library}_([\\d.]+)`, 'g'))].map((match) => match[1])
      const highest = wanted.reduce((a, b) => (newer(b, a) ? b : a), '0')
      if (highest !== '0') lines.push(`${library} ${highest} (at most ${floor})`)
      if (newer(highest, floor)) problems.push(`needs ${library}_${highest}, more than ${floor}`)
    }
    const wanted = namesOf(symbols.replace(/^(?!.*\*UND\*.*\bGLIBC_).*$/gm, '')).filter(Boolean)
    const libraries = neededBy(file)
    lines.push(`needs ${libraries.join(' ')}, and ${wanted.length} names of a C library`)
    if (anyLibc) problems.push(...problemsOnMusl(libraries, wanted))
    const sections = execFileSync(tool, ['-h', file], { encoding: 'utf8' })
    if (/\.debug_info|\.symtab/.test(sections)) problems.push('not stripped')
    const exported = symbols.split('\n').filter((line) => /\s(DF|DO)\s+\.(text|data|rodata|bss)/.test(line))
    lines.push(`${exported.length} exported symbols`)
    const more = exported.filter((line) => !/napi_register_module_v1|node_api_module_get_api_version_v1/.test(line))
    if (more.length > 0) problems.push(`exports more than Node-API's entry points:\n${more.join('\n')}`)
  }
  if (problems.length > 0) throw new Error(`${file}: ${problems.join('; ')}`)
  return lines
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const file of process.argv.slice(2)) for (const line of checkAddon(file)) console.log(`${file}: ${line}`)
}
