// What a prebuilt Linux addon promises, read off the file with objdump: it loads on old systems (glibc, libstdc++), is
// small and stripped. `node scripts/check-addon.mjs <file.node> …` prints what it found and fails where a promise breaks.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

/** Node 20's own floor is glibc 2.28; its libstdc++ is that of gcc 8. */
const floors = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11' }
/** Of one binary within the tarball. */
const maxPacked = 1_000_000

const parts = (version) => version.split('.').map(Number)
function newer(a, b) {
  const [x, y] = [parts(a), parts(b)]
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    if ((x[i] ?? 0) !== (y[i] ?? 0)) return (x[i] ?? 0) > (y[i] ?? 0)
  }
  return false
}

/** The lines that describe the addon; throws where it breaks a promise. */
export function checkAddon(file) {
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
    const sections = execFileSync(tool, ['-h', file], { encoding: 'utf8' })
    if (/\.debug_info|\.symtab/.test(sections)) problems.push('not stripped')
    const exported = symbols.split('\n').filter((line) => /\s(DF|DO)\s+\.(text|data|rodata|bss)/.test(line))
    lines.push(`${exported.length} exported symbols`)
    const others = exported.filter((line) => !/napi_register_module_v1|node_api_module_get_api_version_v1/.test(line))
    if (others.length > 0) problems.push(`exports more than Node-API's entry points:\n${others.join('\n')}`)
  }
  if (problems.length > 0) throw new Error(`${file}: ${problems.join('; ')}`)
  return lines
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const file of process.argv.slice(2)) for (const line of checkAddon(file)) console.log(`${file}: ${line}`)
}
