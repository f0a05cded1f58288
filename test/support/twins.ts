/** Reads enumerations, constants and tables out of the texts of both languages, as far as protocol and facts are written; compiles neither. */

/** A table of names and numbers, in the order of the text. */
export type Numbers = Record<string, number>
export type Row = Record<string, string | number | boolean>

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')

const values = (list: string) =>
  list
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)

/** What a C++ initializer says: a number, also in octal, hexadecimal or shifted; a boolean; or a string in quotes. */
function literal(text: string): string | number | boolean {
  const shift = /^(\d+)u? *<< *(\d+)$/.exec(text)
  if (shift) return Number(shift[1]) << Number(shift[2])
  if (text === 'true' || text === 'false') return text === 'true'
  if (/^".*"$/.test(text)) return text.slice(1, -1)
  const number = Number(text.replaceAll("'", '').replace(/u$/i, ''))
  if (Number.isNaN(number)) throw new Error(`cannot read ${text}`)
  return number
}

/** Every `enum class Name : type { a, b = 4, c };`, by its name. */
export function cppEnums(text: string): Record<string, Numbers> {
  const enums = withoutComments(text).matchAll(/\benum class (\w+)(?:\s*:\s*[\w:]+)?\s*\{([^}]*)\}/g)
  return Object.fromEntries(
    [...enums].map(([, name, list]) => {
      let next = 0
      const members = values(list).map((part) => {
        const [member, value] = part.split(/\s*=\s*/)
        const number = value === undefined ? next : Number(literal(value))
        next = number + 1
        return [member, number] as const
      })
      return [name, Object.fromEntries(members)]
    }),
  )
}

/** Every `constexpr type name = value;` whose value is a literal, by its name. */
export function cppConstants(text: string): Record<string, string | number | boolean> {
  const found = withoutComments(text).matchAll(/\bconstexpr [\w:]+ (\w+) = ([\w'"]+(?: *<< *\d+)?);/g)
  return Object.fromEntries(
    [...found].flatMap(([, name, value]) => (/^[\d"tf]/.test(value) ? [[name, literal(value)]] : [])),
  )
}

/** The rows of `constexpr Struct name[] = { {…}, … };`, each as the struct's fields in their order. */
export function cppTable(text: string, struct: string): Row[] {
  const code = withoutComments(text)
  const body = new RegExp(`\\bstruct ${struct} \\{([^}]*)\\}`).exec(code)
  const table = new RegExp(`\\bconstexpr (?:std::array<)?${struct}\\b[^={]*=?\\s*\\{([\\s\\S]*?)\\}\\s*;`).exec(code)
  if (!body || !table) throw new Error(`no table of ${struct}`)
  const fields = [...body[1].matchAll(/\b(\w+)(?:\s*=[^,;]+)?\s*[,;]/g)].map(([, field]) => field)
  return [...table[1].matchAll(/\{([^{}]*)\}/g)].map(([, row]) =>
    Object.fromEntries(values(row).map((value, at) => [fields[at], literal(value)])),
  )
}

/** The text of a literal that begins there: to its closing bracket, or else to the end of the word. */
function literalAt(code: string, from: number): string {
  if (!'[{'.includes(code[from])) return /^['\w.-]*'?/.exec(code.slice(from))?.[0] ?? ''
  let depth = 0
  for (let at = from; at < code.length; at++) {
    if ('[{'.includes(code[at])) depth++
    if (']}'.includes(code[at]) && --depth === 0) return code.slice(from, at + 1)
  }
  throw new Error(`no end of ${code.slice(from, from + 40)}`)
}

/** Every `export const name = <literal>`, a number, object or array, with or without `as const` and `satisfies`, by its name. */
export function tsConstants(text: string): Record<string, unknown> {
  const code = withoutComments(text)
  const starts = code.matchAll(/^export const (\w+)(?:: [^=]+)? = (?=[[{\d'-])/gm)
  return Object.fromEntries(
    [...starts].map((match) => {
      const value: unknown = new Function(`return (${literalAt(code, match.index + match[0].length)})`)()
      return [match[1], value]
    }),
  )
}
