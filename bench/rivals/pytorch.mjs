/** PyTorch in a Python of the machine that has it, by the program beside this file. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { openProgram, tried } from './program.mjs'

export const name = 'pytorch'
export const how = 'apt-get install python3-torch libopenblas0-pthread (without the latter it multiplies slowly)'

export async function open() {
  const has = (python) => spawnSync(python, ['-c', 'import torch']).status === 0
  const python = ['/usr/bin/python3', 'python3'].find(has)
  if (!python) throw new Error('no Python with torch')
  const program = fileURLToPath(new URL('pytorch.py', import.meta.url))
  const rival = await tried(openProgram(python, [program], { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' }))
  /** A layer that `quantize_dynamic` has gone over, on the engine that this PyTorch takes by itself. */
  rival.loadQuantized = (shape, data) => rival.load(shape, data, 'quantized')
  return rival
}
