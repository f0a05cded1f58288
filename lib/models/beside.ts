/** The files beside a model's own, where its weights may lie; it alone knows which of them a model may name. */
import { describe, fail } from '../errors.ts'
import type { ExternalData } from '../formats/onnx/external.ts'
import { filesBeside as filesIn } from '../platform/files.ts'

/** Gives files of the model's folder and those below it, and refuses all others: a file names what it likes. Undefined where there are no files. */
export function filesBeside(model: string | URL): ExternalData | undefined {
  const files = filesIn(model)
  if (!files) return undefined
  return (location) => {
    const bytes = files(location)
    if (bytes) return bytes
    const place = `its values lie in ${describe(location)}, which is not in its own folder`
    return fail('ERR_RNN_MODEL_FILE', `The ONNX file cannot be read: ${place}; externalData may give the bytes`)
  }
}
