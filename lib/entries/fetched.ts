/** The WebAssembly module out of a file beside the package's own, or beside the bundle that a tool has made. */
import type { Found } from '../backends/wasm/module.web.ts'
import type { Module } from '../backends/wasm/webassembly.ts'

interface Page {
  readonly fetch: (url: URL) => Promise<{
    readonly ok: boolean
    readonly status: number
    readonly statusText: string
    arrayBuffer(): Promise<ArrayBuffer>
  }>
  readonly WebAssembly: { compile(bytes: ArrayBuffer): Promise<Module> }
}

/** Fetches and compiles it; none, and why, where that fails. Never rejects. */
export async function fetched(address: () => URL): Promise<Found> {
  const { fetch, WebAssembly } = globalThis as unknown as Page
  let url: URL | undefined
  try {
    // Code out of a blob: has no address beside which files could be.
    url = address()
    const answer = await fetch(url)
    if (!answer.ok) return { reason: `${url} answers ${answer.status} ${answer.statusText}`.trimEnd() }
    const bytes = await answer.arrayBuffer()
    // A server of one page gives that page for everything it does not know.
    if (!isModule(bytes)) return { reason: `what lies at ${url} is another file` }
    // Not while it comes in: that asks for a type that many servers do not send.
    return { module: await WebAssembly.compile(bytes) }
  } catch (error) {
    return { reason: `${url ?? 'native-rnn.wasm'}: ${error}` }
  }
}

/** By the mark that each begins with. */
function isModule(bytes: ArrayBuffer): boolean {
  return bytes.byteLength > 8 && new DataView(bytes).getUint32(0) === 0x0061736d
}
