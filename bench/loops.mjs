/** The innermost loops that time the library; nanoseconds for so many calls. */

export function step(stream, calls) {
  const start = performance.now()
  for (let i = 0; i < calls; i++) stream.step()
  return (performance.now() - start) * 1e6
}

export function forward(layer, input, calls, options) {
  const start = performance.now()
  for (let i = 0; i < calls; i++) layer.forward(input, options)
  return (performance.now() - start) * 1e6
}

export function run(model, inputs, calls) {
  const start = performance.now()
  for (let i = 0; i < calls; i++) model.run(inputs)
  return (performance.now() - start) * 1e6
}
