/** Draws the last ten seconds of a call: the wave, the probability over it, and the times of speech behind both. */

const SECONDS = 10
const FRAMES = Math.round((SECONDS * 16000) / 512)

export class Picture {
  /** By frame: the loudest samples down and up, and the probability. */
  #frames = []
  #first = 0
  #segments = []
  threshold = 0.5
  #canvas
  #isAsked = false

  constructor(canvas) {
    this.#canvas = canvas
    new ResizeObserver(() => this.#ask()).observe(canvas)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#ask())
  }

  clear() {
    this.#frames = []
    this.#first = 0
    this.#segments = []
    this.#ask()
  }

  /** A block of samples of 16 bits. */
  wave(samples) {
    this.#frames.push({ low: Math.min(...samples) / 32768, high: Math.max(...samples) / 32768, probability: undefined })
    if (this.#frames.length > FRAMES) {
      this.#frames.shift()
      this.#first++
    }
    this.#ask()
  }

  probability(frame, value) {
    const entry = this.#frames[frame - this.#first]
    if (entry) entry.probability = value
    this.#ask()
  }

  event({ type, at }) {
    if (type === 'speech-start') this.#segments.push({ start: at, end: undefined })
    else if (this.#segments.length > 0) this.#segments.at(-1).end = at
    this.#ask()
  }

  #ask() {
    if (this.#isAsked) return
    this.#isAsked = true
    requestAnimationFrame(() => {
      this.#isAsked = false
      this.#draw()
    })
  }

  #draw() {
    const ratio = devicePixelRatio
    const { clientWidth: width, clientHeight: height } = this.#canvas
    Object.assign(this.#canvas, { width: width * ratio, height: height * ratio })
    const pen = this.#canvas.getContext('2d')
    pen.scale(ratio, ratio)
    const style = getComputedStyle(this.#canvas)
    /** Colours as the page has them; a canvas does not know `light-dark`. */
    const colour = (name) => {
      const probe = document.createElement('i')
      probe.style.color = `var(--${name})`
      this.#canvas.parentElement.append(probe)
      const { color } = getComputedStyle(probe)
      probe.remove()
      return color
    }
    const axis = 18
    const waveHeight = (height - axis) * 0.58
    const top = waveHeight + 12
    const curveHeight = height - axis - top
    const step = width / FRAMES
    const x = (seconds) => ((seconds * 16000) / 512 - this.#first) * step
    const y = (probability) => top + curveHeight * (1 - probability)

    pen.fillStyle = colour('speech')
    for (const { start, end } of this.#segments) {
      const right = end === undefined ? this.#frames.length * step : x(end)
      pen.fillRect(Math.max(0, x(start)), 0, right - Math.max(0, x(start)), height - axis)
    }
    pen.fillStyle = colour('wave')
    const middle = waveHeight / 2
    this.#frames.forEach(({ low, high }, i) => {
      const up = Math.max(0.5, middle * high)
      pen.fillRect(i * step + 0.25, middle - up, Math.max(1, step - 0.5), up + Math.max(0.5, -middle * low))
    })
    pen.strokeStyle = colour('soft')
    pen.setLineDash([4, 4])
    pen.beginPath()
    pen.moveTo(0, y(this.threshold))
    pen.lineTo(width, y(this.threshold))
    pen.stroke()
    pen.setLineDash([])
    pen.strokeStyle = colour('curve')
    pen.lineWidth = 2
    pen.beginPath()
    this.#frames.forEach(({ probability }, i) => {
      if (probability !== undefined) pen.lineTo((i + 1) * step, y(probability))
    })
    pen.stroke()
    pen.fillStyle = colour('soft')
    pen.font = `12px ${style.fontFamily}`
    for (let second = Math.ceil((this.#first * 512) / 16000); x(second) < width; second++) {
      pen.fillText(`${second} s`, x(second) + 2, height - 4)
      pen.fillRect(x(second), height - axis, 1, 4)
    }
  }
}
