/** Operators that look back along the axis of time: what they need of past frames becomes state. It alone knows which are causal, and when. */

import { plural } from '../../errors.ts'
import { entryOf } from '../../intrinsics/properties.ts'
import { padsOf, sliceOf } from '../operators/arguments.ts'
import type { Step } from '../plan.ts'
import { recurrentPlaces } from '../recurrent/parts.ts'
import { kindOf, numberAt } from '../tensor.ts'
import { type Edit, type Editor, filled } from './editor.ts'
import { keyOf } from './follow.ts'
import { batchAxis } from './rules/recurrent.ts'
import type { Rule } from './rules/rule.ts'
import { isPointwise, type Window, windowOf } from './rules/window.ts'
import type { Site } from './site.ts'
import { isPlain, lengthOf, type Trace, type Traced, traceAt } from './trace.ts'

/** What following time through a graph finds out beside traces. */
export interface Findings {
  /** By the number of a step's first output. */
  readonly edits: Map<number, { step: Step; edit: Edit }>
  /** Strides over time, each with how many frames its input has. */
  readonly strides: { step: Step; stride: number; length: number }[]
}

/** Thrown where frames are no multiple of a stride: they must be so many times more. */
export class OddStride {
  readonly stride: number

  constructor(stride: number) {
    this.stride = stride
  }
}

/** Undefined where time is not the axis that the step works along: then it is as for rows. */
type CausalRule = (site: Site, found: Findings) => ReturnType<Rule> | undefined

/** Follows time through operators for which it may be the very axis that they work along. */
export const causalRule: CausalRule = (site, found) => entryOf(rules, site.step.opType)?.(site, found)

const edits = ({ edits }: Findings, { step }: Site, edit: Edit) => edits.set(keyOf(step), { step, edit })

/**
 * Output j sees the frames j · stride − past … j · stride − past + reach. As many outputs as frames by the stride are known with the frames of
 * a step where it looks less than a stride ahead; `past` frames are kept.
 */
const window: CausalRule = (site, found) => {
  const trace = site.trace(0)
  if (trace === undefined || trace.axis < 2) return undefined
  const { axis, front, behind } = trace
  const own = windowOf(site, axis)
  if (isPointwise(own)) return undefined
  site.only(0)
  if (site.step.opType === 'ConvTranspose') return upsampled(site, trace, own)
  if (trace.outer * trace.inner !== 1) site.refuse('it slides over frames that are merged with another axis')
  if (behind > 0) site.refuse('it sees what padding puts behind the last frame')
  const { stride, before, after } = own
  const reach = (own.kernel - 1) * own.dilation
  const past = front + before
  const ahead = reach - past
  const length = lengthOf(trace, site.shape(0))
  if (ahead < 0)
    site.refuse(`it has ${counted(past)} of padding in front, where its window looks back ${reach} at most`)
  if (ahead >= stride) {
    const has = `${past === 0 ? 'no' : `only ${counted(past)} of`} padding in front`
    site.refuse(`its window looks ${counted(ahead)} ahead: it has ${has} where a causal one has ${reach}`)
  }
  checkPool(site, before)
  found.strides.push({ step: site.step, stride, length })
  if (length % stride !== 0) throw new OddStride(stride)
  const made = site.output(0)[axis]
  const extra = stride === 1 ? after : 0
  if (made !== length / stride + extra) {
    site.refuse(`it gives ${counted(made)} of ${length}, by a stride of ${stride}`)
  }
  if (before + after > 0) {
    edits(found, site, (editor, step) => {
      const [x, ...rest] = step.inputs
      const fill = step.opType === 'MaxPool' ? -Infinity : 0
      const inputs = [editor.preceded(step, x, axis, front, before, fill), ...rest]
      const pads = withoutPads(step.attributes.get('pads') as readonly number[], axis - 2)
      editor.add({ ...step, inputs, attributes: new Map(step.attributes).set('pads', pads) })
    })
  }
  return [{ ...traceAt(axis), behind: extra }]
}

/** Padding of a pool is nothing, which a state of frames must be able to say. */
function checkPool(site: Site, before: number): void {
  const { opType, outputs } = site.step
  if (opType === 'Conv') return
  if (outputs[1] >= 0) site.refuse('it gives places among all frames')
  const type = site.plan.values[site.step.inputs[0]]!.type
  if (opType === 'MaxPool' && before > 0 && kindOf(type) !== 'float') site.refuse(`it pads values of ${type}`)
  if (opType === 'AveragePool' && before > 0 && !site.call.flag('count_include_pad')) {
    site.refuse('its means at the start are of fewer frames')
  }
}

/** Pads of some axes, the first ones and the last ones, with none of one of them. */
const withoutPads = (pads: readonly number[], axis: number) =>
  pads.map((size, i) => (i % (pads.length / 2) === axis ? 0 : size))

/** Each frame becomes as many as the stride, of itself alone. */
function upsampled(site: Site, trace: Trace, own: Window): Trace {
  const isOwn =
    own.kernel === own.stride &&
    isPlain(trace) &&
    site.output(0)[trace.axis] === site.shape(0)[trace.axis] * own.stride &&
    own.before === 0
  return isOwn ? trace : site.refuse('what it makes of one frame overlaps with what it makes of others')
}

/** In front, and constant: the frames that a window will look back at. Negative behind: what it saw beyond the last frame is taken off. */
const pad: CausalRule = (site, found) => {
  const trace = site.only(0)
  const { axis } = trace
  const { before, after } = padsOf(site.call, site.shape(0))
  const [first, last] = [before[axis], after[axis]]
  if (first === 0 && last === 0) return undefined
  const mode = site.call.text('mode', 'constant')
  if (mode !== 'constant') site.refuse(`it pads the frames in mode ${mode}`)
  if (trace.outer * trace.inner !== 1) site.refuse('it pads frames that are merged with another axis')
  if (first < 0) site.refuse(`it takes ${counted(-first)} away in front`)
  if (last > 0) site.refuse(`it pads ${counted(last)} behind the last one`)
  if (last < -trace.behind) site.refuse(`it takes ${-last - trace.behind} of the last frames away`)
  const given = site.step.opset < 11 ? site.call.real('value', 0) : site.constant(2)
  const fill = typeof given === 'object' ? numberAt(given, 0) : (given ?? 0)
  edits(found, site, (editor, step) => {
    const input = editor.preceded(step, step.inputs[0], axis, trace.front, first, fill)
    const rest = withoutPads([...before, ...after], axis)
    if (rest.every((size) => size === 0)) {
      editor.rename(step, input)
      return
    }
    const isOld = step.opset < 11
    const inputs = isOld ? [input] : [input, editor.integers(rest), step.inputs[2] ?? -1]
    const attributes = isOld ? new Map(step.attributes).set('pads', rest) : step.attributes
    editor.add({ ...step, inputs, attributes })
  })
  return { ...trace, front: trace.front + first, behind: trace.behind + last }
}

const noEnd = 2 ** 31 - 1

/** The newest frame; or all but what a window saw beyond the last one. */
const slice: CausalRule = (site, found) => {
  const newest = newestOf(site)
  if (newest !== undefined) return newest
  const trace = site.trace(0)
  const { axes, starts, ends, steps } = sliceOf(site.call, site.rank(0))
  if (trace === undefined || trace.behind === 0) return undefined
  const at = axes.indexOf(trace.axis)
  const left = site.shape(0)[trace.axis] - site.output(0)[trace.axis]
  if (at < 0 || starts[at] !== 0 || steps[at] !== 1 || left !== trace.behind) return undefined
  site.only(0, 2)
  edits(found, site, (editor, step) => {
    if (axes.length === 1) {
      editor.rename(step, step.inputs[0])
      return
    }
    // As a number, the largest integer, which says that there is no end, is more than an int64 holds.
    const all = ends.map((end, i) => (i === at ? noEnd : Math.min(end, noEnd)))
    if (step.opset < 10) editor.add({ ...step, attributes: new Map(step.attributes).set('ends', all) })
    else
      editor.add({ ...step, inputs: step.inputs.map((value, place) => (place === 2 ? editor.integers(all) : value)) })
  })
  return { ...trace, behind: 0 }
}

/** Of a step that takes the last of the frames and nothing else: what it gives is that of the newest frame. */
function newestOf(site: Site): readonly Traced[] | undefined {
  const takesLast = (one: Site): boolean => {
    const trace = site.trace(0)
    if (trace === undefined || !isPlain(trace)) return false
    const size = one.shape(0)[trace.axis]
    const isLast = (place: number) => (place < 0 ? place + size : place) === size - 1
    if (one.step.opType === 'Gather') {
      const places = one.constant(1)
      return one.axis(0) === trace.axis && places?.data.length === 1 && isLast(numberAt(places, 0))
    }
    const { axes, starts, steps } = sliceOf(one.call, one.rank(0))
    const at = axes.indexOf(trace.axis)
    return at >= 0 && isLast(starts[at]) && steps[at] > 0 && one.output(0)[trace.axis] === 1
  }
  return site.always(takesLast) ? ['newest'] : undefined
}

/** Its last states are the next run's first ones. */
const recurrent: CausalRule = (site, found) => {
  const trace = site.trace(recurrentPlaces.x)
  const batch = batchAxis(site)
  const time = 1 - batch
  if (trace?.axis !== time) return undefined
  const direction = site.call.text('direction', 'forward')
  if (direction !== 'forward') site.refuse(`its direction is ${direction}: it begins with the last frame`)
  if (!isPlain(trace)) site.refuse('it runs over frames that are padded, or merged with another axis')
  if (site.has(recurrentPlaces.lengths)) site.refuse('it has sequence_lens: a stream has no last frame')
  site.only(recurrentPlaces.x)
  for (const place of [recurrentPlaces.h0, recurrentPlaces.c0]) {
    if (site.has(place) && site.constant(place) === undefined) {
      site.refuse(
        `its state at the start (input ${place}) is no constant: states of the model's own are named by states`,
      )
    }
  }
  edits(found, site, (editor, step) => recurrentEdit(editor, step, batch))
  return [traceAt(time), 'newest', 'newest']
}

function recurrentEdit(editor: Editor, step: Step, batch: number): void {
  const { x, h0: h, c0: c } = recurrentPlaces
  const [{ type, shape }, R] = [editor.of(step.inputs[x]), editor.of(step.inputs[2]).shape]
  const size = R[step.opType === 'DynamicQuantizeLSTM' ? 1 : 2]
  const B = shape[batch]
  const sizes = batch === 1 ? [1, B, size] : [B, 1, size]
  const inputs = [...step.inputs]
  while (inputs.length <= c) inputs.push(-1)
  const names = step.opType.endsWith('LSTM') ? ['h', 'c'] : ['h']
  const outputs = ['y', ...names].map((_, i) => step.outputs[i] ?? -1)
  for (const [i, name] of names.entries()) {
    const [place, output] = [h + i, 1 + i]
    const initial = inputs[place] < 0 ? filled(type, sizes, 0) : editor.of(inputs[place]).constant!
    if (outputs[output] < 0) outputs[output] = editor.value(type, sizes)
    inputs[place] = editor.state(`${step.label}: ${name}`, initial, outputs[output])
  }
  editor.add({ ...step, inputs, outputs })
}

const rules: Readonly<Record<string, CausalRule>> = {
  Conv: window,
  MaxPool: window,
  AveragePool: window,
  ConvTranspose: window,
  Pad: pad,
  Slice: slice,
  Gather: newestOf,
  RNN: recurrent,
  GRU: recurrent,
  LSTM: recurrent,
  DynamicQuantizeLSTM: recurrent,
}

export const counted = (frames: number) => plural(frames, 'frame', 'frames')
