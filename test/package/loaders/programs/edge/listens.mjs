// The work of the package test as the answer to a request, where `fetch` is an event.
import { work } from './page.mjs'

addEventListener('fetch', (event) => {
  const answer = work().catch((error) => ({ error: String(error.stack) }))
  event.respondWith(answer.then((found) => new Response(JSON.stringify(found))))
})
