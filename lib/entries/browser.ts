/** The package in pages and their workers: the module is there when the import is done, for layers are made without waiting. */
import { provideModule } from '../backends/wasm/module.web.ts'
import { fetched } from './fetched.ts'

export * from '../index.ts'

// Written like this for bundlers: they copy the file and put its new address here.
provideModule(await fetched(() => new URL('./native-rnn.wasm', import.meta.url)))
