/** oneDNN called from C++, the program beside this file; knows how that is compiled. */
import { compile } from '../child.mjs'
import { openProgram, tried } from './program.mjs'

export const name = 'onednn'
export const how = 'apt-get install libdnnl-dev g++ (oneDNN 2)'

export async function open() {
  const program = compile('rivals/onednn.cpp', 'onednn', ['-ldnnl'])
  const rival = await tried(openProgram(program, [], { OMP_NUM_THREADS: '1' }))
  /** An LSTM on integers of 8 bits. */
  rival.loadQuantized = (shape, data) => rival.load(shape, data, 'quantized')
  return rival
}
