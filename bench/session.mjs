/** Who takes part in a run and what the machine is: opens the library, the rivals that are there, and the probes of the limit. */
import { cpus, release } from 'node:os'
import { openLibrary } from './library.mjs'
import { cacheSizes, hasProbe, levels, openLimits } from './limits.mjs'
import * as onednn from './rivals/onednn.mjs'
import * as onnxruntime from './rivals/onnxruntime.mjs'
import * as pytorch from './rivals/pytorch.mjs'
import * as tfjs from './rivals/tfjs.mjs'

const known = [onnxruntime, onednn, pytorch, tfjs]

const names = (list) => list?.split(',').map((name) => name.trim())

/** @param args the command line's backend, rivals, rounds, quick */
export async function open(args) {
  const library = await openLibrary()
  const usable = library.availableBackends()
  const backends = names(args.backend) ?? usable
  for (const name of backends) {
    if (!usable.includes(name)) throw new Error(`backend ${name} cannot run here; ${usable.join(', ')} can`)
  }
  const { rivals, absent } = await openRivals(names(args.rivals))
  const limits = {}
  for (const isa of backends.filter(hasProbe)) {
    try {
      limits[isa] = openLimits(isa)
    } catch (error) {
      absent.push({ name: `the limit of ${isa}`, how: 'a C++ compiler', why: error.message })
    }
  }
  const facts = await machine(library, limits)
  for (const rival of rivals) facts.rivals.push({ name: rival.name, version: rival.opened.version })
  facts.absent = absent
  const { quick, busy } = args
  const rounds = Number(args.rounds ?? (busy ? 21 : quick ? 5 : 7))
  return { library, backends, rivals, limits, facts, rounds, busy, slice: busy ? 1e6 : quick ? 4e6 : 8e6 }
}

async function openRivals(wanted) {
  const rivals = []
  const absent = []
  for (const rival of known.filter(({ name }) => !wanted || wanted.includes(name))) {
    try {
      rivals.push({ ...rival, opened: await rival.open() })
    } catch (error) {
      absent.push({ name: rival.name, how: rival.how, why: error.message.split(/\n| imported from/)[0] })
    }
  }
  return { rivals, absent }
}

async function machine(library, limits) {
  const { name: backend, reason, version } = library.backendInfo()
  const caches = cacheSizes()
  const found = {}
  for (const [isa, probe] of Object.entries(limits)) found[isa] = await levels(probe, caches)
  return {
    cpu: cpus()[0]?.model ?? process.arch,
    cores: cpus().length,
    caches,
    node: process.version,
    platform: `${process.platform} ${release()} ${process.arch}`,
    version,
    backend,
    reason,
    date: new Date().toISOString().slice(0, 10),
    limits: found,
    rivals: [],
  }
}

export function close({ rivals, limits }) {
  for (const rival of rivals) rival.opened.close()
  for (const probe of Object.values(limits)) probe.close()
}
