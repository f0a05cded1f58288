/** To be imported before a program: the system's clock leaps, by up to a day and both ways, as often as somebody asks for the time. */

const Real = globalThis.Date
const DAY = 24 * 60 * 60 * 1000
let leaps = 0
/** The same leaps in every run. */
const moved = () => Real.now() + Math.round(DAY * Math.sin(12.9898 * ++leaps))

export const MovedDate = class extends Real {
  constructor(...values) {
    if (values.length > 0) super(...values)
    else super(moved())
  }

  static now() {
    return moved()
  }
}

globalThis.Date = MovedDate
