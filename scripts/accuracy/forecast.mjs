/** Tomorrow's temperatures, day by day: examples/forecast. */
import { readFileSync } from 'node:fs'
import { Linear, LSTM, readSafetensors, Tensor } from 'native-rnn'

const at = (file) => new URL(`../../examples/forecast/${file}`, import.meta.url)
const DAY = 24 * 60 * 60 * 1000

/** A day: its highest and lowest temperature, and what the network takes, as in train.py. */
function readDays() {
  const [header, ...lines] = readFileSync(at('seattle-weather.csv'), 'utf8').trim().split('\n')
  const names = header.split(',')
  return lines.map((line) => {
    const cells = line.split(',')
    const value = (name) => Number(cells[names.indexOf(name)])
    const time = Date.parse(cells[names.indexOf('date')])
    const year = new Date(time).getUTCFullYear()
    const angle = (2 * Math.PI * ((time - Date.UTC(year, 0, 1)) / DAY)) / 365.25
    const temperatures = [value('temp_max'), value('temp_min')]
    const rest = [Math.log1p(value('precipitation')), value('wind'), Math.sin(angle), Math.cos(angle)]
    return { temperatures, features: Float32Array.of(...temperatures, ...rest) }
  })
}

/** @returns {import('./compare.mjs').Subject} */
export function forecast() {
  const weights = readSafetensors(readFileSync(at('model.safetensors')))
  const days = readDays()
  const [mean, deviation, change] = ['mean', 'deviation', 'change'].map((name) => weights[`scale.${name}`].data)
  return {
    name: 'Forecast: an LSTM and a Linear, as a stream over four years of days',
    decision: 'whether a temperature, the highest and the lowest, rises until tomorrow',
    unit: ' °C',
    run(format) {
      const lstm = LSTM.fromStateDict(weights, { prefix: 'rnn.', ...format })
      const head = Linear.fromStateDict(weights, { prefix: 'head.', ...format })
      const stream = lstm.stream()
      const forecasts = days.map(({ features, temperatures }) => {
        stream.step(features.map((value, i) => (value - mean[i]) / deviation[i]))
        const { data } = head.forward(new Tensor(stream.output, [lstm.hiddenSize]))
        return temperatures.map((today, i) => today + data[i] * change[i])
      })
      const decisions = forecasts.flatMap((pair, n) => pair.map((value, i) => value > days[n].temperatures[i]))
      const errors = days
        .slice(1)
        .flatMap(({ temperatures }, n) => temperatures.map((value, i) => Math.abs(value - forecasts[n][i])))
      const error = errors.reduce((sum, one) => sum + one, 0) / errors.length
      return {
        decisions,
        numbers: forecasts.flat(),
        quality: `${error.toFixed(4)} °C off`,
        bytes: lstm.memory().weights + head.memory().weights,
      }
    },
  }
}
