/** The charts of a run as SVG, by vega-lite; knows which colour a contestant has and what is plotted against what. */
import { parse, View } from 'vega'
import { compile } from 'vega-lite'
import { cells } from '../shapes.mjs'

const own = 'native-rnn'
export const colours = {
  [own]: '#d1495b',
  avx512: '#d1495b',
  avx2: '#e9967a',
  neon: '#d1495b',
  portable: '#b08d57',
  typescript: '#8a8a8a',
  onednn: '#00798c',
  onnxruntime: '#30638e',
  pytorch: '#6a8d3a',
  tfjs: '#9b6fb0',
  limit: '#222222',
}

const config = {
  font: 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif',
  background: '#ffffff',
  view: { stroke: null },
  axis: {
    gridColor: '#e6e6e6',
    domainColor: '#999999',
    tickColor: '#999999',
    labelColor: '#333333',
    titleFontWeight: 'normal',
  },
  title: { anchor: 'start', fontSize: 15, subtitleColor: '#555555', subtitlePadding: 6, offset: 14 },
  header: { labelFontSize: 13, labelFontWeight: 'bold', title: null },
  legend: { title: null, labelFontSize: 12, orient: 'top', symbolSize: 120 },
}

export const svg = (spec) => new View(parse(compile({ config, ...spec }).spec), { renderer: 'none' }).toSVG()

/** The colour scale of the contestants that the values name, in that order. */
function scale(values) {
  const domain = [...new Set(values.map(({ who }) => who))]
  return { domain, range: domain.map((name) => colours[name] ?? '#555555') }
}

const upper = (cell) => cell.toUpperCase()

/**
 * One row a shape and contestant: µs, GFLOP/s, and how much longer it takes than the best backend; the limit among them, `most` says
 * which: 'us' is one product after the other, 'bound' what no code can pass.
 */
export function points({ results, best }, { group, where = () => true, who = () => true, most = 'us' }) {
  const rows = []
  for (const result of results.filter((r) => r.group === group && where(r))) {
    const { cell, H, T, B, form } = result
    const shape = { cell: upper(cell), H, T, B, form }
    for (const [name, { us, gflops }] of Object.entries(result.times)) {
      if (who(name)) rows.push({ ...shape, who: name, us, gflops, slower: us / result.times[best].us })
    }
    const limit = result.limits[best]
    if (limit && who('limit')) {
      const us = limit[most]
      rows.push({
        ...shape,
        who: 'limit',
        us,
        gflops: result.flops / us / 1e3,
        slower: us / result.times[best].us,
      })
    }
  }
  return rows
}

/** The jobs of the chart at a glance; what they are called, and which shapes they are. */
const jobs = [
  { job: 'a live stream’s step, H = 128', group: 'stream', where: ({ H }) => H === 128 },
  { job: '100 steps, H = 256', group: 'sequence', where: ({ H, T }) => H === 256 && T === 100 },
  { job: '32 sequences, H = 256', group: 'batch', where: ({ H, B }) => H === 256 && B === 32 },
]

/** GFLOP/s of three jobs, the bound as a line: P and the bandwidth at their best, the input product for nothing. */
export const overview = (all) =>
  svg({
    title: {
      text: 'How fast recurrent layers run on one core',
      subtitle: `${all.cpu}, ${all.best}, ${all.date}; dashed: more than this core can do, by its arithmetic or its caches at their fastest`,
    },
    ...overviewSpec(all),
  })

/** The same as a part of another chart. */
export function overviewSpec(all) {
  const contestants = [all.best, 'onednn', 'onnxruntime', 'pytorch', 'typescript']
  const named = (row) => ({ ...row, who: row.who === all.best ? own : row.who })
  const values = jobs.flatMap(({ job, ...filter }) =>
    points(all, {
      ...filter,
      who: (name) => contestants.includes(name) || name === 'limit',
      most: 'bound',
    }).map((row) => ({
      ...named(row),
      job,
    })),
  )
  const timed = values.filter(({ who }) => who !== 'limit')
  const order = contestants
    .map((name) => (name === all.best ? own : name))
    .filter((name) => timed.some(({ who }) => who === name))
  const y = {
    field: 'who',
    type: 'nominal',
    sort: order,
    title: null,
    axis: { ticks: false, domain: false, labelFontSize: 12 },
  }
  const x = { field: 'gflops', type: 'quantitative', title: 'GFLOP/s (more is faster)' }
  const without = [{ filter: "datum.who !== 'limit'" }]
  const color = { field: 'who', type: 'nominal', scale: { domain: order, range: order.map((name) => colours[name]) } }
  return {
    data: { values },
    facet: {
      column: { field: 'cell', type: 'nominal', sort: cells.map(upper) },
      row: {
        field: 'job',
        type: 'nominal',
        sort: jobs.map(({ job }) => job),
        header: { labelAngle: 0, labelOrient: 'top', labelAnchor: 'start', labelFontWeight: 'normal', labelPadding: 2 },
      },
    },
    spec: {
      width: 230,
      height: { step: 20 },
      layer: [
        {
          transform: without,
          mark: { type: 'bar', height: { band: 0.72 } },
          encoding: { x, y, color: { ...color, legend: null } },
        },
        {
          transform: [{ filter: "datum.who === 'limit'" }],
          mark: { type: 'rule', color: colours.limit, strokeDash: [4, 3] },
          encoding: { x },
        },
        ...numbers({ x, y, text: { field: 'gflops', type: 'quantitative', format: '.3~r' } }).map((layer) => ({
          transform: without,
          ...layer,
        })),
      ],
    },
  }
}

/** Lines over a size, one panel a cell; times on a logarithmic axis, speeds on a linear one. */
export function lines(values, { x, xTitle, y = 'us', yTitle = 'µs' }) {
  const colour = scale(values)
  const ticks = [...new Set(values.map((row) => row[x]))].sort((a, b) => a - b)
  return svg({
    data: { values },
    facet: { field: 'cell', type: 'nominal', sort: cells.map(upper) },
    columns: 3,
    spec: {
      width: 260,
      height: 230,
      encoding: {
        x: {
          field: x,
          type: 'quantitative',
          title: xTitle,
          scale: { type: 'log', nice: false },
          axis: { values: ticks, format: 'd', grid: false, labelOverlap: true },
        },
        y: {
          field: y,
          type: 'quantitative',
          title: yTitle,
          scale: { type: y === 'us' ? 'log' : 'linear' },
          axis:
            y === 'us'
              ? { format: '.6~g', values: powersOfTen(values.map((row) => row[y])) }
              : { format: 'd', tickCount: 6 },
        },
        color: { field: 'who', type: 'nominal', scale: colour },
        strokeDash: { condition: { test: "datum.who === 'limit'", value: [4, 3] }, value: [1, 0] },
      },
      layer: [{ mark: { type: 'line', strokeWidth: 2 } }, { mark: { type: 'point', filled: true, size: 28 } }],
    },
  })
}

function powersOfTen(values) {
  const from = Math.floor(Math.log10(Math.min(...values)))
  const to = Math.ceil(Math.log10(Math.max(...values)))
  return Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i))
}

/** How the cost grows with each size; only those that the run has. */
export function growthCharts(all) {
  const settings = {
    h: { x: 'H', xTitle: 'hidden units H (inputs I = H)' },
    t: { x: 'T', xTitle: 'steps T' },
    b: { x: 'B', xTitle: 'rows B', y: 'gflops', yTitle: 'GFLOP/s' },
  }
  const charts = {}
  for (const [size, options] of Object.entries(settings)) {
    const values = points(all, { group: `growth-${options.x}` })
    if (values.length > 0) charts[size] = lines(values, options)
  }
  return charts
}

/** A bar a shape, one panel a cell, with a line at what is asked. */
export function bars(values, { xTitle, asked }) {
  const rows = [...new Set(values.map(({ name }) => name))]
  const x = { field: 'value', type: 'quantitative', title: xTitle }
  const y = {
    field: 'name',
    type: 'nominal',
    sort: rows,
    title: null,
    axis: { labelLimit: 0, ticks: false, domain: false },
  }
  const line = { mark: { type: 'rule', color: colours.limit, strokeDash: [4, 3] }, encoding: { x: { datum: asked } } }
  return svg({
    data: { values },
    facet: { column: { field: 'cell', type: 'nominal', sort: cells.map(upper) } },
    spec: {
      width: 240,
      height: { step: 17 },
      layer: [
        { mark: { type: 'bar', height: { band: 0.6 }, color: colours[own] }, encoding: { x, y } },
        ...(asked ? [line] : []),
        ...numbers({ x, y, text: { field: 'value', type: 'quantitative', format: '.2f' } }),
      ],
    },
  })
}

/** Figures at the ends of bars, with a halo so that a line behind them does not strike them out. */
export function numbers(encoding) {
  const text = { type: 'text', align: 'left', dx: 4, fontSize: 11 }
  const halo = { ...text, stroke: '#ffffff', strokeWidth: 3, strokeJoin: 'round' }
  return [halo, { ...text, color: '#333333' }].map((mark) => ({ mark, encoding }))
}
