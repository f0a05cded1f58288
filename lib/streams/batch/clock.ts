/** The clock of queues. */
import { now } from '../../intrinsics/captured.ts'

/** Milliseconds since some moment. Looked up each time, so that a test's own clock holds, which may be a bad one. */
export function clock(): number {
  try {
    const ms: unknown = now()
    return typeof ms === 'number' && ms >= 0 ? ms : 0
  } catch {
    return 0
  }
}
