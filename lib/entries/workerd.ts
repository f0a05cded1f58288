/** The package in workerd (Cloudflare Workers). */

import { provideImported } from '../backends/wasm/module.web.ts'
import module from './native-rnn.wasm'

export * from '../index.ts'

provideImported(module)
