/** A list of lanes, linked through themselves: whoever is in one is in no other. Knows no lanes. */

/** A place in a list, and since when. */
export interface Linked<L> {
  since: number
  previous: L | undefined
  next: L | undefined
}

/** In the order in which they came. */
export class LaneList<L extends Linked<L>> {
  count = 0
  first: L | undefined
  #last: L | undefined

  add(lane: L, now: number): void {
    lane.since = now
    lane.previous = this.#last
    if (this.#last) this.#last.next = lane
    else this.first = lane
    this.#last = lane
    this.count++
  }

  remove(lane: L): void {
    if (lane.previous) lane.previous.next = lane.next
    else this.first = lane.next
    if (lane.next) lane.next.previous = lane.previous
    else this.#last = lane.previous
    lane.previous = undefined
    lane.next = undefined
    this.count--
  }
}
