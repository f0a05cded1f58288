// An executable that carries the addon, and writes it out before the package looks for it.
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { getRawAsset } = require('node:sea')
const native = require('native-rnn')
const { results } = require('./results.mjs')

const folder = mkdtempSync(join(tmpdir(), 'app-'))
process.env.NATIVE_RNN_PATH = join(folder, 'native-rnn.node')
writeFileSync(process.env.NATIVE_RNN_PATH, new Uint8Array(getRawAsset('native-rnn.node')))
process.once('exit', () => rmSync(folder, { recursive: true }))
results(native).then((found) => console.log(JSON.stringify(found)))
