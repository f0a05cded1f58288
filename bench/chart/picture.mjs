/** The README's chart as SVG: three jobs beside the rivals, a stream in each weight format, a whole model's frame. */
import { kinds } from '../formats/kinds.mjs'
import { colours, numbers, overviewSpec, svg } from '../report/charts.mjs'
import { cells } from '../shapes.mjs'

const own = 'native-rnn'
const axis = { ticks: false, domain: false, labelFontSize: 12 }
const titleOf = (text) => ({ text, fontSize: 13, fontWeight: 'normal', offset: 8 })

/** @param all what a run of bench/chart gives; resolves to the SVG's text */
export async function picture(all) {
  const { cpu, best, date, formats, frame } = all
  const title = {
    text: 'How fast recurrent layers run on one core',
    subtitle: `${cpu}, ${best}, one thread, ${date}; dashed: more than this core can do, by its arithmetic or the reading of the weights at their fastest`,
  }
  const specs = [{ title, ...overviewSpec(all) }]
  if (formats.length > 0) specs.push(formatsSpec(formats))
  if (frame) specs.push(frameSpec(frame, best))
  return stacked(await Promise.all(specs.map(svg)))
}

/** Pictures below each other. */
function stacked(pictures) {
  const size = (text, name) => Number(new RegExp(`^<svg [^>]*${name}="([\\d.]+)"`).exec(text)[1])
  const width = Math.max(...pictures.map((text) => size(text, 'width')))
  let height = 0
  const placed = pictures.map((text) => {
    const at = height
    height += size(text, 'height') + 12
    return text.replace('<svg ', `<svg x="0" y="${at}" `)
  })
  const attributes = `xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`
  return `<svg ${attributes}><rect width="${width}" height="${height}" fill="#ffffff"/>${placed.join('')}</svg>`
}

/** Bars of a panel a cell, with the bound of each format. */
function formatsSpec(formats) {
  const rivals = ['onnxruntime', 'onednn', 'pytorch'].filter((name) => formats.some(({ times }) => times[name]))
  const names = [...kinds.map(({ name }) => name), ...rivals.map((name) => `${name}, int8`)]
  const [{ H }] = formats
  const values = formats.flatMap(({ cell, times, limits }) =>
    Object.entries(times).map(([name, { gops }]) => ({
      cell: cell.toUpperCase(),
      name: rivals.includes(name) ? `${name}, int8` : name,
      who: rivals.includes(name) ? name : own,
      gops,
      limit: limits[name]?.bound,
    })),
  )
  const y = { field: 'name', type: 'nominal', sort: names, title: null, axis }
  const x = {
    field: 'gops',
    type: 'quantitative',
    title: 'GOP/s (more is faster)',
  }
  const domain = [own, ...rivals]
  const color = {
    field: 'who',
    type: 'nominal',
    scale: { domain, range: domain.map((name) => colours[name]) },
    legend: null,
  }
  return {
    data: { values },
    title: titleOf(`A live stream’s step by how its weights are kept, H = ${H}`),
    facet: { column: { field: 'cell', type: 'nominal', sort: cells.map((cell) => cell.toUpperCase()) } },
    spec: {
      width: 230,
      height: { step: 20 },
      layer: [
        { mark: { type: 'bar', height: { band: 0.72 } }, encoding: { x, y, color } },
        {
          transform: [{ filter: 'isValid(datum.limit)' }],
          mark: { type: 'tick', color: colours.limit, thickness: 2 },
          encoding: { x: { field: 'limit', type: 'quantitative' }, y },
        },
        ...numbers({ x, y, text: { field: 'gops', type: 'quantitative', format: '.3~r' } }),
      ],
    },
  }
}

/** One row a contestant. */
function frameSpec({ times }, best) {
  const values = Object.entries(times).map(([name, us]) => ({
    who: name === best ? own : name,
    us,
  }))
  const domain = values.map(({ who }) => who)
  const y = { field: 'who', type: 'nominal', sort: domain, title: null, axis }
  const x = { field: 'us', type: 'quantitative', title: 'µs (less is faster)' }
  const color = {
    field: 'who',
    type: 'nominal',
    scale: { domain, range: domain.map((name) => colours[name]) },
    legend: null,
  }
  return {
    data: { values },
    title: titleOf('A whole model, a frame of a live stream: Silero VAD, 32 ms of sound'),
    width: 505,
    height: { step: 20 },
    layer: [
      { mark: { type: 'bar', height: { band: 0.72 } }, encoding: { x, y, color } },
      ...numbers({ x, y, text: { field: 'us', type: 'quantitative', format: '.3~r' } }),
    ],
  }
}
