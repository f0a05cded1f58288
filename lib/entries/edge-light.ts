/** The package in edge-light (Vercel, Next.js), whose tools ask for the ending. */

import { provideImported } from '../backends/wasm/module.web.ts'
import module from './native-rnn.wasm?module'

export * from '../index.ts'

provideImported(module)
