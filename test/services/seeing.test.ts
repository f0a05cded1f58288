/** What docs/serving.md shows of the tracing channels is what examples/server runs, and it counts what happens. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { LSTM } from 'native-rnn'
import { describe, expect, it } from 'vitest'
import { folder, load } from './server.ts'

const require = createRequire(`${folder}index.mjs`)
const docs = readFileSync(new URL('../../docs/serving.md', import.meta.url), 'utf8')
const source = (file: string) => readFileSync(`${folder}${file}`, 'utf8').trimEnd()

/** Two whole sequences, and ten streams that take two steps each, in two batches. */
async function work() {
  const lstm = new LSTM(2, 3, { seed: 1 })
  const sequence = new Float32Array(5 * 2)
  lstm.forward({ data: sequence, shape: [5, 2] })
  await lstm.forwardAsync({ data: sequence, shape: [5, 2] })
  const batcher = lstm.batcher({ maxBatch: 10 })
  const streams = Array.from({ length: 10 }, () => batcher.open())
  for (let n = 0; n < 2; n++) await Promise.all(streams.map((stream) => stream.step(new Float32Array(2))))
  await batcher.close()
  return lstm.backend
}

describe('the tracing channels', () => {
  it('become metrics of Prometheus in ten lines', async () => {
    expect(docs).toContain(`\`\`\`js\n${source('metrics.mjs')}\n\`\`\``)
    await load('metrics.mjs')
    const { register } = require('prom-client')
    const backend = await work()
    const text = await register.metrics()
    expect(text).toContain(`rnn_batch_steps_sum{layer="LSTM",backend="${backend}"} 20`)
    expect(text).toContain(`rnn_batch_steps_count{layer="LSTM",backend="${backend}"} 2`)
    expect(text).toContain(`rnn_frames_total{layer="LSTM",backend="${backend}"} 10`)
  })

  it('become spans of OpenTelemetry in ten lines', async () => {
    expect(docs).toContain(`\`\`\`js\n${source('spans.mjs')}\n\`\`\``)
    const { trace } = require('@opentelemetry/api')
    const sdk = require('@opentelemetry/sdk-trace-base')
    const exporter = new sdk.InMemorySpanExporter()
    const spanProcessors = [new sdk.SimpleSpanProcessor(exporter)]
    trace.setGlobalTracerProvider(new sdk.BasicTracerProvider({ spanProcessors }))
    await load('spans.mjs')
    const backend = await work()
    const spans = exporter.getFinishedSpans().map(({ name, attributes }: Record<string, unknown>) => [name, attributes])
    const common = { layer: 'LSTM', backend }
    expect(spans).toEqual([
      ['native-rnn:forward', { ...common, T: 5, B: 1, async: false }],
      ['native-rnn:forward', { ...common, T: 5, B: 1, async: true }],
      ['native-rnn:batch', { ...common, steps: 10, queued: 0 }],
      ['native-rnn:batch', { ...common, steps: 10, queued: 0 }],
    ])
  })
})
