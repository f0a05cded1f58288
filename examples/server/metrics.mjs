/** Metrics of every batch and every sequence for Prometheus, out of the library's tracing channels. */
import { tracingChannel } from 'node:diagnostics_channel'
import { Counter, Histogram } from 'prom-client'

const labelNames = ['layer', 'backend']
const steps = new Histogram({ name: 'rnn_batch_steps', help: 'Steps in a batch', labelNames, buckets: [1, 4, 16, 64] })
const queued = new Histogram({ name: 'rnn_queued', help: 'Steps left waiting', labelNames, buckets: [0, 16, 64, 256] })
const frames = new Counter({ name: 'rnn_frames_total', help: 'Frames of whole sequences', labelNames })

const labels = ({ layer, backend }) => ({ layer, backend })
const onBatch = (batch) => [steps.observe(labels(batch), batch.steps), queued.observe(labels(batch), batch.queued)]
tracingChannel('native-rnn:batch').subscribe({ start: onBatch })
tracingChannel('native-rnn:forward').subscribe({ start: (call) => frames.inc(labels(call), call.T * call.B) })
