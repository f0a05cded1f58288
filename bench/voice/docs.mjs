/** The tables of the voice server in docs/: between their marks; one that a run does not have stays as it was. */

import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'

const pages = ['serving.md', 'reliability.md'].map((name) => new URL(`../../docs/${name}`, import.meta.url))

/** What figures were measured on. */
export const machineOf = ({ name }) =>
  `${cpus()[0].model}, ${availableParallelism()} processors, ${name}, Node ${process.versions.node}`

/** The text with each table in its place. */
export function withTables(text, tables) {
  return text.replaceAll(/(<!-- voice: (\w+) -->\n)[\s\S]*?(\n<!-- voice: end -->)/g, (all, begin, name, end) =>
    name in tables ? `${begin}\n${tables[name]}\n${end}` : all,
  )
}

/** @param tables Markdown by the name of its mark */
export function writeTables(tables) {
  for (const page of pages) writeFileSync(page, withTables(readFileSync(page, 'utf8'), tables))
}
