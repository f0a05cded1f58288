/** examples/server as its clients see it: numbers, refusals, overload, and a deploy in the middle of everything. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { start, weather } from './server.ts'

let folder: string
let stateFile: string
let server: Awaited<ReturnType<typeof start>>

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'native-rnn-'))
  stateFile = join(folder, 'streams.json')
})
afterEach(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true })
})

const wholeSequence = async (days: unknown) => (await server.request('POST', '/forecast', { days })).body.forecasts

/** Asks for forecasts of so many days, again where the server has them before anyone sees it at work. */
async function underWay(days: number) {
  const body = { days: weather(days) }
  for (;;) {
    let answered = false
    const asked = server.request('POST', '/forecast', body).finally(() => {
      answered = true
    })
    while (!answered) if ((await server.request('GET', '/health')).body.forwards > 0) return { asked }
    await asked
  }
}

describe('a whole sequence', () => {
  it('gives a forecast for every day, and a live stream gives the same bits', async () => {
    server = await start(stateFile)
    const days = weather(40)
    const forecasts = await wholeSequence(days)
    expect(forecasts).toHaveLength(40)
    expect(forecasts[0].date).toBe('2015-01-02')
    const stream = await server.connect('seattle')
    const live = []
    for (const day of days) live.push(await stream.ask(day))
    expect(live).toEqual(forecasts)
  })

  it('is refused in the words of the library where it does not fit', async () => {
    server = await start(stateFile)
    const refused = async (body: unknown) => {
      const { status, body: answer } = await server.request('POST', '/forward', body)
      return [status, answer.code, answer.message]
    }
    const words = 'input.size(-1) must be equal to input_size. Expected 6, got 3'
    expect(await refused({ input: [[1, 2, 3]] })).toEqual([400, 'ERR_RNN_SHAPE', words])
    expect(await refused({ input: [[1, 2], [3]] })).toEqual([400, 'ERR_RNN_SHAPE', expect.stringContaining('input')])
    expect(await refused({ input: [['1']] })).toEqual([400, 'ERR_RNN_SHAPE', expect.stringContaining('input')])
    const wrongState = { input: [[1, 2, 3, 4, 5, 6]], h0: [[1]] }
    expect(await refused(wrongState)).toEqual([400, 'ERR_RNN_SHAPE', expect.stringContaining('h0')])
    const deep = `{"input":${'['.repeat(500_000)}${']'.repeat(500_000)}}`
    expect((await refused(deep))[0]).toBe(400)
  })

  it('is refused by its schema where it is no weather', async () => {
    server = await start(stateFile)
    const [day, next] = weather(2)
    const refused = async (body: unknown) => {
      const { status, body: answer } = await server.request('POST', '/forecast', body)
      return `${status} ${answer.message}`
    }
    expect(await refused('{')).toMatch(/^400 .*JSON/)
    expect(await refused({})).toBe("400 body must have required property 'days'")
    expect(await refused({ days: [] })).toMatch(/^400 body\/days/)
    expect(await refused({ days: [{ ...day, wind: '3' }] })).toBe('400 body/days/0/wind must be number')
    expect(await refused({ days: [{ ...day, tempMax: 1e300 }] })).toBe('400 body/days/0/tempMax must be <= 100')
    expect(await refused({ days: [{ ...day, date: '2015-02-30' }] })).toMatch('must match format "date"')
    expect(await refused({ days: [day], more: 1 })).toBe('400 body must NOT have additional properties')
    expect(await refused({ days: [next, day] })).toMatch('date must be 2015-01-03, the day after the last')
    expect(await refused({ days: Array(10_001).fill(day) })).toMatch(
      '400 body/days must NOT have more than 10000 items',
    )
    expect(await refused(`"${'x'.repeat(2 ** 21)}"`)).toMatch(/^413 /)
    expect((await server.request('GET', '/nowhere')).status).toBe(404)
  })

  it('waits for no free place: 503, and when to come again', async () => {
    server = await start(stateFile, { MAX_FORWARDS: '0' })
    const { status, headers } = await server.request('POST', '/forecast', { days: weather(1) })
    expect([status, headers.get('retry-after')]).toEqual([503, '1'])
  })
})

describe('a live stream', () => {
  it('answers in order, however fast days come', async () => {
    server = await start(stateFile)
    const days = weather(1000)
    const stream = await server.connect('seattle')
    expect(await Promise.all(days.map(stream.ask))).toEqual(await wholeSequence(days))
  })

  it('refuses what is no day, or not the next one, and goes on', async () => {
    server = await start(stateFile)
    const [first, second, third] = weather(3)
    const stream = await server.connect('seattle')
    expect(stream.hello).toEqual({ stream: 'seattle', date: null, forecast: null })
    expect(await stream.ask('{')).toMatchObject({ status: 400, code: 'NO_JSON' })
    expect(await stream.ask({ ...first, wind: -1 })).toMatchObject({ status: 400, message: 'day/wind must be >= 0' })
    const answers = [await stream.ask(first)]
    expect(await stream.ask(first)).toMatchObject({ status: 400, code: 'ORDER' })
    expect(await stream.ask(third)).toMatchObject({ status: 400, code: 'ORDER' })
    answers.push(await stream.ask(second))
    expect(answers).toEqual(await wholeSequence([first, second]))
    stream.socket.send('x'.repeat(2000))
    expect(await stream.closed).toBe(1009)
    const again = await server.connect('seattle')
    expect(again.hello).toEqual({ stream: 'seattle', date: second.date, forecast: answers[1] })
  })

  it('goes to its newest connection, and ends when it is deleted', async () => {
    server = await start(stateFile)
    const days = weather(3)
    const first = await server.connect('seattle')
    const heard = [await first.ask(days[0])]
    const second = await server.connect('seattle')
    expect(await first.closed).toBe(4409)
    expect(second.hello).toEqual({ stream: 'seattle', date: days[0].date, forecast: heard[0] })
    heard.push(await second.ask(days[1]))
    second.close()
    const third = await server.connect('seattle')
    heard.push(await third.ask(days[2]))
    expect(heard).toEqual(await wholeSequence(days))
    expect((await server.request('DELETE', '/streams/seattle')).status).toBe(204)
    expect(await third.closed).toBe(4410)
    expect((await server.request('DELETE', '/streams/seattle')).status).toBe(404)
    expect((await server.request('GET', '/health')).body).toMatchObject({ streams: 0, batcher: { streams: 0 } })
  })

  it('is told 503 when the queue is full, and may send the day again', async () => {
    server = await start(stateFile, { MAX_QUEUE: '1', MAX_DELAY_MS: '500' })
    const names = ['one', 'two', 'three', 'four']
    const streams = await Promise.all(names.map(server.connect))
    const [day] = weather(1)
    const [expected] = await wholeSequence([day])
    const answers = await Promise.all(streams.map((stream) => stream.ask(day)))
    const refused = answers.filter((answer) => answer.status === 503)
    expect(refused).toHaveLength(3)
    expect(refused[0]).toEqual({
      status: 503,
      code: 'ERR_RNN_OVERLOADED',
      message: 'the queue is full: 1 step waits, and maxQueue is 1',
    })
    expect(await streams[answers.indexOf(refused[0])].ask(day)).toEqual(expected)
  })
})

describe('a deploy', () => {
  it('answers the steps that wait, and every stream goes on where it was', async () => {
    server = await start(stateFile)
    const cities = [0, 1, 2].map((city) => weather(30, city))
    const expected = await Promise.all(cities.map(wholeSequence))
    const heard: unknown[][] = [[], [], []]
    for (const [city, days] of cities.entries()) {
      const stream = await server.connect(`city-${city}`)
      for (const day of days.slice(0, 10)) heard[city].push(await stream.ask(day))
    }
    expect(await server.stop()).toMatchObject({ code: 0 })

    // The second server would leave a step waiting for a minute; its end does not.
    server = await start(stateFile, { MAX_DELAY_MS: '60000' })
    const streams = await Promise.all([0, 1, 2].map((city) => server.connect(`city-${city}`)))
    expect(streams.map(({ hello }) => hello.forecast)).toEqual(heard.map((forecasts) => forecasts[9]))
    const waiting = streams.map((stream, city) => stream.ask(cities[city][10]))
    for (let queued = 0; queued < 3; ) queued = (await server.request('GET', '/health')).body.batcher.queued
    const stopped = server.stop()
    for (const [city, answer] of (await Promise.all(waiting)).entries()) heard[city].push(answer)
    expect(await Promise.all(streams.map(({ closed }) => closed))).toEqual([1012, 1012, 1012])
    expect(await stopped).toMatchObject({ code: 0 })

    server = await start(stateFile)
    for (const [city, days] of cities.entries()) {
      const stream = await server.connect(`city-${city}`)
      expect(stream.hello.date).toBe(days[10].date)
      for (const day of days.slice(11)) heard[city].push(await stream.ask(day))
    }
    expect(heard).toEqual(expected)
  })

  it('in the middle of a flood: what was answered and what was saved are the same days', async () => {
    server = await start(stateFile)
    const days = weather(100_000)
    const expected = await wholeSequence(days.slice(0, 10_000))
    const stream = await server.connect('flood')
    const heard: unknown[] = []
    let asked = 0
    const flood = async () => {
      while (asked < days.length) heard.push(await stream.ask(days[asked++]))
    }
    // A hundred days are under way at any time.
    const floods = Promise.allSettled(Array.from({ length: 100 }, flood))
    await server.request('GET', '/health')
    const ended = await server.stop()
    expect(new Set((await floods).map(({ status }) => status))).toEqual(new Set(['rejected']))
    expect(ended).toMatchObject({ code: 0 })
    server = await start(stateFile)
    const { hello, ask } = await server.connect('flood')
    const taken = heard.length
    expect(hello.date).toBe(taken > 0 ? days[taken - 1].date : null)
    for (const day of days.slice(taken, taken + 20)) heard.push(await ask(day))
    expect(heard.slice(0, 10_000)).toEqual(expected.slice(0, heard.length))
  })

  it('finishes a whole sequence that is under way', async () => {
    server = await start(stateFile)
    const { asked } = await underWay(10_000)
    const stopped = server.stop()
    expect((await asked).body.forecasts).toHaveLength(10_000)
    expect(await stopped).toMatchObject({ code: 0 })
  })

  it('of other weights, or on a damaged file, does not start, and leaves the file alone', async () => {
    server = await start(stateFile)
    const stream = await server.connect('seattle')
    await stream.ask(weather(1)[0])
    await server.stop()
    const [entry] = JSON.parse(readFileSync(stateFile, 'utf8'))
    const bytes = Buffer.from(entry.state, 'base64')
    bytes[60] ^= 1
    const damaged = JSON.stringify([{ ...entry, state: bytes.toString('base64') }])
    writeFileSync(stateFile, damaged)
    await expect(start(stateFile)).rejects.toThrow('the saved state is damaged: its checksum does not match its bytes')
    expect(readFileSync(stateFile, 'utf8')).toBe(damaged)
  })
})
