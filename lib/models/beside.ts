/** The files beside a model's own, where its weights may lie; it alone knows which of them a model may name. */

import process from 'node:process'
import { describe, fail } from '../errors.ts'
import type { ExternalData } from '../formats/onnx/external.ts'

/** Gives files of the model's folder and those below it, and refuses all others: a file names what it likes. */
export function filesBeside(model: string | URL): ExternalData {
  // Not imported: that takes milliseconds of each program's start.
  const { readFileSync } = process.getBuiltinModule('node:fs')
  const { dirname, isAbsolute, relative, resolve } = process.getBuiltinModule('node:path')
  const { fileURLToPath } = process.getBuiltinModule('node:url')
  const folder = dirname(resolve(typeof model === 'string' ? model : fileURLToPath(model)))
  return (location) => {
    const path = resolve(folder, location)
    const within = relative(folder, path)
    if (isAbsolute(location) || within === '' || isAbsolute(within) || /^\.\.([\\/]|$)/.test(within)) {
      const place = `its values lie in ${describe(location)}, which is not in its own folder`
      fail('ERR_RNN_MODEL_FILE', `The ONNX file cannot be read: ${place}; externalData may give the bytes`)
    }
    return readFileSync(path)
  }
}
