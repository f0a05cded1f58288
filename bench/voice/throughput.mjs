/** Streams of a batcher without sockets, each with its next step as soon as the one before is answered. */

/** Frames of 32 ms. */
const FRAMES_A_SECOND = 31.25

/** @returns frames a second; cores that were used; microseconds of processor a frame; how many calls in real time a core carries by that */
export async function throughput(batcher, { calls, seconds, samples = 576 }) {
  const frame = Float32Array.from({ length: samples }, (_, i) => Math.sin(i / 7) / 5)
  const streams = Array.from({ length: calls }, () => batcher.open())
  // Until the engine has compiled what is called.
  let end = performance.now() + 1500
  let frames = 0
  const go = async (stream) => {
    while (performance.now() < end) {
      await stream.step(frame)
      frames++
    }
  }
  await Promise.all(streams.map(go))
  frames = 0
  end = performance.now() + 1000 * seconds
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  await Promise.all(streams.map(go))
  const { user, system } = process.cpuUsage(cpu)
  const wall = (performance.now() - began) / 1000
  for (const stream of streams) stream.close()
  const cpuUs = (user + system) / frames
  return {
    framesPerSecond: frames / wall,
    cores: (user + system) / 1e6 / wall,
    cpuUs,
    callsPerCore: 1e6 / cpuUs / FRAMES_A_SECOND,
  }
}
