/** The forecast model of examples/forecast: turns a day's weather into the network's frame, and its output into tomorrow's temperatures. */

import { Linear, LSTM, loadSafetensors, Tensor } from 'native-rnn'

const DAY = 24 * 60 * 60 * 1000

/** What a client says of a day. The bounds keep values that are no weather out of a state that lives on. */
export const daySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['date', 'tempMax', 'tempMin', 'precipitation', 'wind'],
  properties: {
    date: { type: 'string', format: 'date' },
    tempMax: { type: 'number', minimum: -100, maximum: 100 },
    tempMin: { type: 'number', minimum: -100, maximum: 100 },
    precipitation: { type: 'number', minimum: 0, maximum: 2000 },
    wind: { type: 'number', minimum: 0, maximum: 200 },
  },
}

/** `2015-12-31` → `2016-01-01` */
export const dayAfter = (date) => new Date(Date.parse(date) + DAY).toISOString().slice(0, 10)

/** The LSTM, and what stands before and after it. */
export async function loadModel() {
  const weights = await loadSafetensors(new URL('../forecast/model.safetensors', import.meta.url))
  const lstm = LSTM.fromStateDict(weights, { prefix: 'rnn.' })
  const head = Linear.fromStateDict(weights, { prefix: 'head.' })
  const [mean, deviation, change] = ['mean', 'deviation', 'change'].map((name) => weights[`scale.${name}`].data)

  /** The six features of a day, scaled as in the training. */
  function frame({ date, tempMax, tempMin, precipitation, wind }) {
    const time = Date.parse(date)
    const angle = (2 * Math.PI * (time - Date.UTC(new Date(time).getUTCFullYear(), 0, 1))) / DAY / 365.25
    const features = [tempMax, tempMin, Math.log1p(precipitation), wind, Math.sin(angle), Math.cos(angle)]
    return Float32Array.from(features, (value, i) => Math.fround(Math.fround(value) - mean[i]) / deviation[i])
  }

  /** Frames of days, (T, 6). */
  function frames(days) {
    const data = new Float32Array(days.length * lstm.inputSize)
    for (const [n, day] of days.entries()) data.set(frame(day), n * lstm.inputSize)
    return new Tensor(data, [days.length, lstm.inputSize])
  }

  /** What the network's outputs (T, 32) say of the day after each of these days. */
  function forecasts(days, output) {
    const { data } = head.forward(output)
    return days.map(({ date, tempMax, tempMin }, n) => ({
      date: dayAfter(date),
      tempMax: tempMax + data[2 * n] * change[0],
      tempMin: tempMin + data[2 * n + 1] * change[1],
    }))
  }

  const forecast = (day, output) => forecasts([day], new Tensor(output, [1, lstm.hiddenSize]))[0]
  return { lstm, frame, frames, forecasts, forecast }
}
