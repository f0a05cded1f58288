import { backendInfo, LSTM, RNN } from 'native-rnn'
import { results } from '../../results.mjs'

export const dynamic = 'force-dynamic'
export async function GET() {
  return Response.json(await results({ backendInfo, LSTM, RNN }))
}
