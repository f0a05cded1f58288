/** A span of OpenTelemetry for every batch and every sequence, out of the library's tracing channels. */
import { tracingChannel } from 'node:diagnostics_channel'
import { SpanStatusCode, trace } from '@opentelemetry/api'

const tracer = trace.getTracer('native-rnn')
for (const name of ['native-rnn:forward', 'native-rnn:batch']) {
  const spans = new WeakMap()
  const start = ({ ...attributes }) => tracer.startSpan(name, { attributes })
  tracingChannel(name).subscribe({
    start: (event) => spans.set(event, start(event)),
    error: (event) => spans.get(event).setStatus({ code: SpanStatusCode.ERROR, message: event.error.message }),
    end: (event) => event.async === false && spans.get(event).end(),
    asyncEnd: (event) => spans.get(event).end(),
  })
}
