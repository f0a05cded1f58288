/** The chart of the weight formats: what a stream's step does a second in each, and the most that its reading allows. */
import { colours, numbers, svg } from '../report/charts.mjs'
import { cells } from '../shapes.mjs'
import { kinds } from './kinds.mjs'

const sizes = [128, 256, 512, 1024]

/** GOP/s of streams by format, a panel a cell and size; resolves to the SVG's text. */
export function chart({ results, cpu, best, date }) {
  const values = results
    .filter(({ group, H }) => group === 'stream' && sizes.includes(H))
    .flatMap(({ cell, H, times, limits }) =>
      kinds.map(({ name }) => ({
        cell: cell.toUpperCase(),
        size: `H = ${H}`,
        name,
        gops: times[name].gops,
        limit: limits[name]?.bound,
      })),
    )
  const y = {
    field: 'name',
    type: 'nominal',
    sort: kinds.map(({ name }) => name),
    title: null,
    axis: { ticks: false, domain: false, labelFontSize: 12 },
  }
  const x = { field: 'gops', type: 'quantitative', title: 'GOP/s (more is faster)' }
  const header = { labelAngle: 0, labelOrient: 'top', labelAnchor: 'start', labelFontWeight: 'normal', labelPadding: 2 }
  return svg({
    title: {
      text: 'A stream’s step with weights of fewer bytes',
      subtitle: `${cpu}, ${best}, one thread, ${date}; black: the most that reading the weights or the arithmetic allows`,
    },
    data: { values },
    facet: {
      column: { field: 'cell', type: 'nominal', sort: cells.map((cell) => cell.toUpperCase()) },
      row: { field: 'size', type: 'nominal', sort: sizes.map((H) => `H = ${H}`), header },
    },
    spec: {
      width: 230,
      height: { step: 20 },
      layer: [
        { mark: { type: 'bar', height: { band: 0.72 }, color: colours['native-rnn'] }, encoding: { x, y } },
        {
          mark: { type: 'tick', color: colours.limit, thickness: 2 },
          encoding: { x: { field: 'limit', type: 'quantitative' }, y },
        },
        ...numbers({ x, y, text: { field: 'gops', type: 'quantitative', format: '.3~r' } }),
      ],
    },
  })
}
