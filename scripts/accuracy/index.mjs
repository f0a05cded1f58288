/**
 * What fewer bytes a weight cost in accuracy: `npm run accuracy` runs the models of this repository in each format and prints how many decisions
 * differ from float32's, and by how much; with `--write` into docs/precision.md. With `--weights` it does that for a layer of the user's own.
 */
import { parseArgs } from 'node:util'
import { backendInfo } from 'native-rnn'
import { compared } from './compare.mjs'
import { digits } from './digits.mjs'
import { forecast } from './forecast.mjs'
import { ownLayer } from './own.mjs'
import { silero } from './silero.mjs'
import { print, write } from './tables.mjs'
import { text } from './text.mjs'

const usage = `npm run accuracy                          the models of this repository
npm run accuracy -- --write               the same, and the tables of docs/precision.md
npm run accuracy -- --weights FILE.safetensors [--prefix rnn.] [--head head.] [--input FILE.npy | FILE.safetensors] [--before]
  --prefix   the recurrent layer's keys begin with this
  --head     a Linear on its output, whose largest value at each step is a decision
  --input    recorded sequences: (T, I) or (T, B, I), in a .safetensors file any number of them; noise where it is left out
  --before   a GRU whose reset gate acts before the product`

const { values: options } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    weights: { type: 'string' },
    prefix: { type: 'string', default: '' },
    head: { type: 'string' },
    input: { type: 'string' },
    before: { type: 'boolean', default: false },
  },
})

if (options.help) console.log(usage)
else if (options.weights !== undefined) print([compared(await ownLayer(options))])
else {
  console.log(`backend ${backendInfo().name}\n`)
  const reports = [digits(), await forecast(), await text(), ...silero(4)].map(compared)
  print(reports)
  if (options.write) write(reports)
}
