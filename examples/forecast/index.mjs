/** Streams four years of Seattle's weather day by day through an LSTM trained in PyTorch, and holds its forecasts against what happened. */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { backendInfo, Linear, LSTM, loadSafetensors, Tensor } from 'native-rnn'

const TEST_YEAR = 2015
const DAY = 24 * 60 * 60 * 1000
const at = (file) => new URL(file, import.meta.url)

/** One record a day: its time (UTC), highest and lowest temperature, and the six features of train.py. */
function readDays() {
  const [header, ...lines] = readFileSync(at('seattle-weather.csv'), 'utf8').trim().split('\n')
  const column = Object.fromEntries(header.split(',').map((name, i) => [name, i]))
  return lines.map((line) => {
    const cells = line.split(',')
    const value = (name) => Number(cells[column[name]])
    const time = Date.parse(cells[column.date])
    const year = new Date(time).getUTCFullYear()
    const angle = (2 * Math.PI * ((time - Date.UTC(year, 0, 1)) / DAY)) / 365.25
    const temperatures = [value('temp_max'), value('temp_min')]
    const rest = [Math.log1p(value('precipitation')), value('wind'), Math.sin(angle), Math.cos(angle)]
    return { time, year, temperatures, features: Float32Array.of(...temperatures, ...rest) }
  })
}

/** A live forecaster: takes a day, gives tomorrow's highest and lowest temperature. */
function forecaster(weights) {
  const head = Linear.fromStateDict(weights, { prefix: 'head.' })
  const lstm = LSTM.fromStateDict(weights, { prefix: 'rnn.' })
  const stream = lstm.stream()
  const mean = weights['scale.mean'].data
  const deviation = weights['scale.deviation'].data
  const change = weights['scale.change'].data
  return ({ features, temperatures }) => {
    for (let i = 0; i < features.length; i++) stream.input[i] = Math.fround(features[i] - mean[i]) / deviation[i]
    stream.step()
    const { data } = head.forward(new Tensor(stream.output, [lstm.hiddenSize]))
    return temperatures.map((today, i) => today + data[i] * change[i])
  }
}

/** Mean absolute difference of the two temperatures, °C. */
function meanError(forecasts, days) {
  return [0, 1].map((i) => {
    const sum = days.reduce((total, day, n) => total + Math.abs(forecasts[n][i] - day.temperatures[i]), 0)
    return sum / days.length
  })
}

const show = (errors) =>
  errors
    .map((error) => `${error.toFixed(4)} °C`)
    .join(' highest, ')
    .concat(' lowest')

const weights = await loadSafetensors(at('model.safetensors'))
const recorded = (await loadSafetensors(at('pytorch.safetensors'))).forecast.toNested()
const days = readDays()
const first = days.findIndex((day) => day.year === TEST_YEAR)
const unseen = days.slice(first)

const next = forecaster(weights)
const began = performance.now()
const forecasts = days
  .slice(0, -1)
  .map(next)
  .slice(first - 1)
const elapsed = performance.now() - began

const errors = meanError(forecasts, unseen)
const pytorch = meanError(recorded, unseen)
const likeToday = meanError(
  days.slice(first - 1, -1).map((day) => day.temperatures),
  unseen,
)
const worst = Math.max(...forecasts.flatMap((pair, n) => pair.map((value, i) => Math.abs(value - recorded[n][i]))))
const equal = worst <= 1e-4 && errors.every((error, i) => Math.abs(error - pytorch[i]) < 1e-5)

console.log(
  `Backend ${backendInfo().name}: ${days.length} days streamed, ${((1000 * elapsed) / days.length).toFixed(1)} µs a day`,
)
console.log(
  `Mean error of tomorrow's temperatures over ${unseen.length} days of ${TEST_YEAR}, a year that the training never saw:`,
)
console.log(`  this stream            ${show(errors)}`)
console.log(`  PyTorch, recorded      ${show(pytorch)}`)
console.log(`  "the same as today"    ${show(likeToday)}`)
console.log(
  `Error ${equal ? 'equal to' : 'NOT equal to'} PyTorch's; largest difference of a forecast ${worst.toExponential(1)} °C`,
)
if (!equal) process.exitCode = 1

try {
  const { plot } = await import('./plot/plot.mjs')
  const records = unseen.map((day, n) => ({ date: day.time, happened: day.temperatures[0], forecast: forecasts[n][0] }))
  const file = process.argv[2] ?? fileURLToPath(at('forecast.svg'))
  writeFileSync(
    file,
    await plot(records, `Seattle ${TEST_YEAR}: forecast a day ahead by a streaming LSTM, and what happened`),
  )
  console.log(`Plot written to ${file}`)
} catch (error) {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
  console.log('No plot: `npm ci --prefix examples/forecast/plot` installs the library that draws it')
}
