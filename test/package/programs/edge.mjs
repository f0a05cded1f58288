// The work of the package test as an answer to a request, in edge runtimes.
import { work } from './page.mjs'

export default {
  async fetch() {
    return Response.json(await work().catch((error) => ({ error: String(error.stack) })))
  },
}
