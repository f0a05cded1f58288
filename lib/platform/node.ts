/** What several files have of Node: imported once for them all. */
export { Buffer } from 'node:buffer'
export { default as process } from 'node:process'
