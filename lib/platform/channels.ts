/** Node's diagnostics channels. */
export { type Channel, channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
