/** A program that computes in a cluster of two processes; workers.test.ts runs it. */
import cluster from 'node:cluster'
import { GRU } from 'native-rnn'

const layer = new GRU(4, 4, { seed: 1 })
const want = layer.forward([[1, 2, 3, 4]]).hn.data.join()
if (cluster.isPrimary) {
  const codes = [0, 1].map(() => new Promise((resolve) => cluster.fork().on('exit', resolve)))
  console.log((await Promise.all(codes)).join())
} else {
  const { hn } = await layer.forwardAsync([[1, 2, 3, 4]])
  process.exit(hn.data.join() === want ? 0 : 1)
}
