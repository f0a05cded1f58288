/** A digit is drawn, and read row by row; the network is the one of examples/digits, trained in PyTorch. */

import { backendInfo, Linear, loadSafetensors, RNN } from 'native-rnn'
import { centred } from './centred.js'

const ROWS = 28
const CLASSES = 10

const weights = await loadSafetensors('/digits/model.safetensors')
const rnn = RNN.fromStateDict(weights, { prefix: 'rnn.' })
const head = Linear.fromStateDict(weights, { prefix: 'head.' })
const stream = rnn.stream()

/** The probabilities after each row, from 28 × 28 values from 0 to 1. */
function read(image) {
  stream.reset()
  return Array.from({ length: ROWS }, (_, row) => {
    const state = stream.step(image.subarray(row * ROWS, (row + 1) * ROWS))
    return softmax(head.forward({ data: state, shape: [1, state.length] }).data)
  })
}

function softmax(logits) {
  const highest = Math.max(...logits)
  const powers = Array.from(logits, (value) => Math.exp(value - highest))
  const sum = powers.reduce((a, b) => a + b)
  return powers.map((power) => power / sum)
}

const element = (id) => document.getElementById(id)
const pad = element('pad')
const pen = pad.getContext('2d', { willReadFrequently: true })
Object.assign(pen, { lineWidth: 44, lineCap: 'round', lineJoin: 'round', strokeStyle: '#fff' })
const bars = Array.from({ length: CLASSES }, (_, digit) => {
  const row = document.createElement('li')
  row.innerHTML = `<b>${digit}</b><i></i><span></span>`
  element('bars').append(row)
  return row
})

function show(image) {
  const began = performance.now()
  const rows = read(image)
  const took = performance.now() - began
  paint(element('seen'), image, (value) => [255, 255, 255, 255 * value])
  paint(element('rows'), rows.flat(), (value) => [239, 128, 120, 255 * value])
  const last = rows.at(-1)
  const best = last.indexOf(Math.max(...last))
  const isBlank = image.every((value) => value === 0)
  element('answer').textContent = isBlank ? '–' : best
  element('answer').dataset.digit = isBlank ? '' : best
  bars.forEach((bar, digit) => {
    bar.children[1].style.width = isBlank ? '0' : `${100 * last[digit]}%`
    bar.children[2].textContent = isBlank ? '' : `${(100 * last[digit]).toFixed(1)} %`
  })
  element('backend').textContent = backendInfo().name
  element('time').textContent = `${took.toFixed(1)} ms`
}

function paint(canvas, values, colour) {
  const pixels = new ImageData(canvas.width, canvas.height)
  for (let i = 0; i < values.length; i++) pixels.data.set(colour(values[i]), 4 * i)
  canvas.getContext('2d').putImageData(pixels, 0, 0)
}

/** As much of the pad as there is ink on, in the place and size that the network was trained on. */
function drawn() {
  const { data } = pen.getImageData(0, 0, pad.width, pad.height)
  return centred(
    Float32Array.from({ length: pad.width * pad.height }, (_, i) => data[4 * i + 3] / 255),
    pad.width,
  )
}

function clear() {
  pen.clearRect(0, 0, pad.width, pad.height)
  show(new Float32Array(ROWS * ROWS))
}

let from
const place = ({ offsetX, offsetY }) => [offsetX, offsetY].map((at) => (at * pad.width) / pad.clientWidth)
pad.addEventListener('pointerdown', (event) => {
  pad.setPointerCapture(event.pointerId)
  from = place(event)
})
pad.addEventListener('pointermove', (event) => {
  if (!from) return
  pen.beginPath()
  pen.moveTo(...from)
  from = place(event)
  pen.lineTo(...from)
  pen.stroke()
  show(drawn())
})
pad.addEventListener('pointerup', () => {
  from = undefined
})
element('clear').addEventListener('click', clear)

let records
let next = 0
element('sample').addEventListener('click', async () => {
  const { body } = await fetch('/digits/digits.bin.gz')
  records ??= new Uint8Array(await new Response(body.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer())
  const begin = (next++ % (records.length / (ROWS * ROWS + 1))) * (ROWS * ROWS + 1)
  const image = Float32Array.from(records.subarray(begin, begin + ROWS * ROWS), (value) => value / 255)
  const small = new OffscreenCanvas(ROWS, ROWS)
  paint(small, image, (value) => [255, 255, 255, 255 * value])
  pen.clearRect(0, 0, pad.width, pad.height)
  pen.drawImage(small, 0, 0, pad.width, pad.height)
  show(image)
  element('answer').dataset.count = next
})
clear()
document.body.dataset.ready = 'yes'
