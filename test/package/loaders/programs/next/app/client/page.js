'use client'
// In the browser: what page.mjs finds is written into the title.
import '../../page.mjs'

export default function Page() {
  return <main>a page that computes by itself</main>
}
