// How the text of a bundle lies, so that it packs well: gzip looks back 32 KB, so declarations that are alike stand beside each other, and private
// names begin anew in each class. What runs when the bundle is loaded keeps its order.
import { parse } from 'acorn'

/** How far back a declaration looks for what is like it, in text whose names are still long. */
const reach = 60_000
/** How long the pieces of text are that it looks for. */
const pieceLength = 5
/** What of a declaration has stood there is set against its length to this power: by 1 short ones would come first, by 0 long ones. */
const exponent = 0.8

/** The letters of private names, the most frequent of minified code first. */
const letters = 'tesniroalcdhupfmgybwvxkqjzABCDEFGHIJKLMNOPQRSTUVWXYZ'

const program = (text) => parse(text, { ecmaVersion: 2023, sourceType: 'module' }).body
const children = (node) =>
  Object.values(node)
    .flat()
    .filter((value) => typeof value?.type === 'string')

/**
 * Gives private names letters by their places in the class. A minifier has one list of them for all classes, which makes them longer and less alike.
 * @param {string} text
 * @returns {string}
 */
export function shortPrivateNames(text) {
  const found = []
  const visit = (node, outer) => {
    let names = outer
    if (node.type === 'ClassBody') {
      const own = node.body.filter(({ key }) => key?.type === 'PrivateIdentifier').map(({ key }) => key.name)
      const taken = [...outer.values()]
      const free = [...letters].filter((letter) => !taken.includes(letter))
      // A getter and its setter are two members with one name.
      names = new Map([...outer, ...[...new Set(own)].map((name, i) => [name, free[i]])])
    }
    if (node.type === 'PrivateIdentifier') {
      const letter = names.get(node.name)
      if (letter === undefined) throw new Error(`no letter is left for #${node.name}`)
      found.push({ start: node.start, end: node.end, letter })
    }
    for (const child of children(node)) visit(child, names)
  }
  for (const node of program(text)) visit(node, new Map())
  let made = ''
  let at = 0
  for (const { start, end, letter } of found.sort((a, b) => a.start - b.start)) {
    made += `${text.slice(at, start)}#${letter}`
    at = end
  }
  return made + text.slice(at)
}

/**
 * Puts declarations that only declare, such as functions, classes and tables of them, beside those that are like them. What calls or computes
 * something when the bundle is loaded stands after them, as it stood.
 * @param {string} text the output of esbuild, whose variables at the top are all `var` and have names of their own
 * @param {string[]} exported the names of functions that stay as they are
 * @returns {string}
 */
export function arranged(text, exported) {
  const body = program(text)
  const statements = body.flatMap((one) => (one.type === 'VariableDeclaration' ? one.declarations : [one]))
  const withoutValue = new Set(statements.flatMap(({ id, init }) => (id && init === null ? [id.name] : [])))
  const unsettled = new Set(body.flatMap((node) => namesAssigned(node)))
  const [imports, running, exports, declaring] = [[], [], [], []]
  for (const node of statements) {
    const isArrow = node.type === 'FunctionDeclaration' && !exported.includes(node.id.name)
    const own = `${node.type === 'VariableDeclarator' ? 'var ' : ''}${text.slice(node.start, node.end)};`
    const part = isArrow ? asArrow(node, text) : own
    const needs = node.id && namesNeeded(node)
    if (node.type === 'ImportDeclaration') imports.push(part)
    else if (node.type === 'ExportNamedDeclaration') exports.push(part)
    else if (
      needs?.every((name) => !unsettled.has(name)) &&
      namesAssigned(node, isFunction).every((name) => withoutValue.has(name))
    ) {
      declaring.push({ text: part, name: node.id.name, needs })
    } else {
      running.push(part)
      if (node.id) for (const name of namesIn(node.id)) unsettled.add(name)
    }
  }
  return [...imports, ...besideAlike(declaring), ...running, ...exports].join('\n')
}

const isFunction = ({ type }) => /Function/.test(type)

/** A function as an arrow in a variable, which is shorter; as it is where it makes a generator or asks what it was called on. */
function asArrow(node, text) {
  const { id, params, body, async, generator } = node
  const of = ({ start, end }) => text.slice(start, end)
  if (generator || [...params, body].some(usesOwnThis)) return of(node)
  const [first, ...others] = body.body
  const value = first?.type === 'ReturnStatement' && others.length === 0 && first.argument
  return `var ${id.name}=${async ? 'async ' : ''}(${params.map(of)})=>${value ? `(${of(value)})` : of(body)};`
}

const usesOwnThis = (node) =>
  node.type === 'ThisExpression' ||
  (node.type === 'Identifier' && node.name === 'arguments') ||
  (!/^Function/.test(node.type) && children(node).some(usesOwnThis))

const namesIn = (node) => (node.type === 'Identifier' ? [node.name] : children(node).flatMap(namesIn))

/** The names that get another value somewhere, outside of nodes that are left out. */
function namesAssigned(node, isLeftOut = () => false) {
  if (isLeftOut(node)) return []
  const isTarget = /^(Assignment|Update)Expression$|^For(In|Of)/.test(node.type)
  const own = isTarget ? namesIn(node.left ?? node.argument) : []
  return [...own, ...children(node).flatMap((child) => namesAssigned(child, isLeftOut))]
}

/** The names whose values a statement takes when the bundle is loaded; undefined where it does more than to declare. */
function namesNeeded(node) {
  const all = (nodes) => {
    const names = nodes.map((one) => (one === null ? [] : namesNeeded(one)))
    return names.includes(undefined) ? undefined : names.flat()
  }
  const { type, computed, key } = node
  if (computed && !isSymbolOfLanguage(key)) return undefined
  switch (type) {
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
    case 'MethodDefinition':
    case 'Literal':
      return []
    case 'PropertyDefinition':
      return node.static ? undefined : []
    case 'UnaryExpression':
      return node.argument.type === 'Literal' ? [] : undefined
    case 'Identifier':
      return [node.name]
    case 'Property':
      return namesNeeded(node.value)
    case 'ArrayExpression':
      return all(node.elements)
    case 'ObjectExpression':
      return all(node.properties)
    // Gives variables functions that know the class's private names; nobody reads them before all has been declared.
    case 'StaticBlock':
      return all(node.body)
    case 'ExpressionStatement':
      return namesNeeded(node.expression)
    case 'SequenceExpression':
      return all(node.expressions)
    case 'AssignmentExpression':
      return node.left.type === 'Identifier' ? namesNeeded(node.right) : undefined
    case 'ClassExpression':
      return all([node.superClass, ...node.body.body])
    case 'VariableDeclarator':
      return node.id.type === 'Identifier' ? all([node.init]) : undefined
    default:
      return undefined
  }
}

/** `Symbol.dispose`. */
const isSymbolOfLanguage = (key) => key?.type === 'MemberExpression' && key.object.name === 'Symbol' && !key.computed

/** Always that declaration of which most has stood within reach, among those whose needs stand above; at first it is the first. */
function besideAlike(declarations) {
  const holders = new Map()
  for (const one of declarations) {
    one.seen = 0
    one.pieces = new Set()
    for (let i = 0; i + pieceLength <= one.text.length; i++) one.pieces.add(one.text.slice(i, i + pieceLength))
    for (const piece of one.pieces) {
      if (!holders.has(piece)) holders.set(piece, [])
      holders.get(piece).push(one)
    }
  }
  // A piece that few have says more; what one alone has or a quarter of all says nothing.
  const weightOf = ({ length }) => (length > 1 && length < declarations.length / 4 ? 1 / length : 0)
  const count = new Map()
  const add = (one, by) => {
    for (const piece of one.pieces) {
      const before = count.get(piece) ?? 0
      count.set(piece, before + by)
      if (Math.min(before, before + by) > 0) continue
      const weight = by * weightOf(holders.get(piece))
      if (weight !== 0) for (const holder of holders.get(piece)) holder.seen += weight
    }
  }
  const waiting = new Set(declarations)
  const unplaced = new Set(declarations.map(({ name }) => name))
  const placed = []
  for (let from = 0, size = 0; waiting.size > 0; ) {
    const ready = [...waiting].filter(({ needs }) => !needs.some((name) => unplaced.has(name)))
    const share = ({ seen, text }) => seen / text.length ** exponent
    const next = ready.reduce((best, one) => (share(one) > share(best) ? one : best))
    waiting.delete(next)
    unplaced.delete(next.name)
    placed.push(next)
    add(next, 1)
    size += next.text.length
    for (; size > reach; from++) {
      size -= placed[from].text.length
      add(placed[from], -1)
    }
  }
  return placed.map(({ text }) => text)
}
