/** State dicts that hold something in place of a weight: it alone knows what PyTorch's tools write there, and what takes it away again. */
import { named, some } from '../errors.ts'

interface Trace {
  /** A key that shows it; its first group is the weight. */
  readonly key: RegExp
  /** What else must end like this, after the weight's name. */
  readonly beside?: string
  readonly what: string
  /** What to do, with % for the weight. */
  readonly remedy: string
}

const weight = String.raw`(?:^|\.)((?:weight|bias)(?:_(?:ih|hh|hr)(?:_l\d{1,9}(?:_reverse)?)?)?)`
const traces: readonly Trace[] = [
  {
    key: new RegExp(`${weight}_g$`),
    beside: '_v',
    what: 'weight norm',
    remedy: "call torch.nn.utils.remove_weight_norm(rnn, '%') in PyTorch and save again",
  },
  {
    key: /(?:^|\.)parametrizations\.((?:weight|bias)\w{0,40})\.original[01]?$/,
    what: 'a parametrization (weight norm, spectral norm, …)',
    remedy: "call torch.nn.utils.parametrize.remove_parametrizations(rnn, '%') in PyTorch and save again",
  },
  {
    key: new RegExp(`${weight}_orig$`),
    beside: '_mask',
    what: 'pruning',
    remedy: "call torch.nn.utils.prune.remove(rnn, '%') in PyTorch and save again",
  },
  {
    key: new RegExp(`${weight}_orig$`),
    beside: '_u',
    what: 'spectral norm',
    remedy: "call torch.nn.utils.remove_spectral_norm(rnn, '%') in PyTorch and save again",
  },
  {
    key: new RegExp(`${weight}_raw$`),
    what: 'weight drop',
    remedy: 'what is saved as %_raw is the weight: give it the key %',
  },
  {
    key: /(_packed_params|_all_weight_values)\b/,
    what: 'dynamic quantization',
    remedy: 'save the state dict of the float model, as it was before quantize_dynamic',
  },
  {
    key: /(recurrent_kernel)(:0)?$/,
    what: "Keras's names",
    remedy: 'fromKeras takes the weights of a Keras layer',
  },
]

/** What stands in place of weights among these keys, and what to call first; empty where nothing is known. */
export function reparametrized(keys: readonly string[]): string {
  for (const { key, beside, what, remedy } of traces) {
    const found = new Set<string>()
    for (const name of keys) {
      // No name of a weight is longer; the end of one says it all.
      const match = key.exec(name.slice(-100))
      if (!match) continue
      const start = name.slice(0, name.lastIndexOf(match[1]))
      if (beside === undefined || keys.includes(`${start}${match[1]}${beside}`)) found.add(match[1])
      if (found.size > 20) break
    }
    const weights = [...found]
    if (weights.length === 0) continue
    const each = weights.length > 1 ? `, and so for each of ${some(weights.map(named), 4, ', ')}` : ''
    return ` (these are keys of ${what}: ${remedy.replaceAll('%', weights[0])}${each})`
  }
  return ''
}
