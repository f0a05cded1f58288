/** The text of bundles: what stands elsewhere in it, has shorter names or is an arrow does what it did. */
import { describe, expect, it } from 'vitest'
import { arranged, shortPrivateNames } from '../../scripts/arrange.mjs'

const text = `
import { sep } from 'node:path'
var log = []
var base = 1
var next = () => ++base
var first = next()
var Parent = class Parent { #own = 2; #other = 3; get sum() { return this.#own + this.#other } }
var open
var Child = class Child extends Parent {
  #own = 5
  static { open = (child) => child.#own }
  get [Symbol.iterator]() { return function* () { yield 1 } }
  static isChild(value) { return #own in value }
}
var rows = { add: (a, b) => a + b, taken: first, child: Child, base }
var early = open(new Child())
log.push(rows.base, rows.taken, early)
base = 7
var late = { base }
var Outer = class { #a = 1; inner() { return class { #b = 2; sum(outer) { return outer.#a + this.#b } } } }
function used(a, b = { c: 5 }, ...others) { return [a, b, others, sep.length] }
function object(a) { return { a } }
function sequence(a) { return a++, a }
function count() { return arguments.length }
function* twice(a) { yield a; yield a }
async function later(a) { return [await a, this] }
function within(a) { return function () { return [a, this.own] }.call({ own: a }) }
function kept() { return kept.name }
function given(a, b = arguments.length) { return b }
function parent() { return class extends this.Parent {} }
var Deep = class { #a = 1; in() { return class { #a = 2; in() { return class { #b = 3; sum(outer) { return outer.#a + this.#b } } } } } }
;[log, rows.add(1, 2)].forEach((value) => log.push(String(value)))
function unused(a, b) { return [a, b, sep.length, 1] }
var Inner = new Outer().inner()
var Mid = new Deep().in()
var mid = new Mid()
var results = [log, late.base, new Child().sum, Child.isChild(new Child()), Child.isChild({}), [...new Child()], new Inner().sum(new Outer()), used(1), used(1, 2, 3), unused(3, 4), object(1), sequence(1), count(1, 2), [...twice(1)], later.name, within(1), kept(), given(1), new (parent.call({ Parent }))().sum, new (mid.in())().sum(mid)]
export { results }
`

const resultsOf = async (code: string): Promise<unknown> =>
  (await import(`data:text/javascript,${encodeURIComponent(code)}`)).results

describe('the text of a bundle', () => {
  it('does what it did', async () => {
    const made = arranged(shortPrivateNames(text), ['kept'])
    expect(made).not.toMatch(/#(own|other)/)
    expect(made.match(/(?<=function\*? ?)\w+(?=\()/g)).toEqual(
      expect.arrayContaining(['count', 'twice', 'later', 'kept']),
    )
    expect(made).not.toMatch(/function (used|object|within)\b/)
    expect(await resultsOf(made)).toEqual(await resultsOf(text))
  })

  it('has what runs when it is loaded in its order, after what only declares', () => {
    const lines = arranged(text, []).split('\n')
    const places = ['var Parent', 'var unused', 'var first', 'var rows', 'log.push', 'base = 7', 'var late'].map(
      (begin) => lines.findIndex((line) => line.startsWith(begin)),
    )
    expect(places[0]).toBeGreaterThan(0)
    expect(places.slice(1)).toEqual(places.slice(1).toSorted((a, b) => a - b))
  })

  it('has declarations beside those that are like them', () => {
    const kinds = [...'abcde']
    const alike = [...kinds, ...kinds].map((kind, n) => `function ${kind}${n}() { return "${kind.repeat(9)}" }`)
    const order = arranged(alike.join('\n'), []).match(/(?<=var )\w/g)!
    expect(order.join('')).toMatch(/^(?:(\w)\1){5}$/)
  })
})
