/** Draws what was forecast against what happened, as SVG, with Vega; knows nothing of networks. */

import * as vega from 'vega'

const COLOURS = { happened: '#9aa5b1', forecast: '#d9480f' }

const line = (name, field) => ({
  type: 'line',
  from: { data: 'days' },
  encode: {
    enter: {
      x: { scale: 'x', field: 'date' },
      y: { scale: 'y', field },
      stroke: { value: COLOURS[name] },
      strokeWidth: { value: name === 'happened' ? 2.5 : 1.25 },
    },
  },
})

/** `days`: one record a day with the time `date` and the temperatures `happened` and `forecast`, °C. Returns the SVG's text. */
export function plot(days, title) {
  const spec = {
    width: 1080,
    height: 360,
    padding: 10,
    background: 'white',
    title: { text: title, anchor: 'start' },
    data: [{ name: 'days', values: days }],
    scales: [
      { name: 'x', type: 'utc', range: 'width', domain: { data: 'days', field: 'date' } },
      {
        name: 'y',
        type: 'linear',
        range: 'height',
        nice: true,
        domain: { data: 'days', fields: ['happened', 'forecast'] },
      },
      {
        name: 'colour',
        type: 'ordinal',
        domain: ['happened', 'forecast'],
        range: Object.values(COLOURS),
      },
    ],
    axes: [
      { orient: 'bottom', scale: 'x', format: '%b', tickCount: 'month' },
      { orient: 'left', scale: 'y', title: 'highest temperature of the day, °C', grid: true, gridColor: '#eee' },
    ],
    legends: [{ stroke: 'colour', orient: 'top-right', symbolType: 'stroke', symbolStrokeWidth: 3 }],
    marks: [line('happened', 'happened'), line('forecast', 'forecast')],
  }
  return new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG()
}
