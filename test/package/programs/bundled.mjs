// esm.mjs for bundles of every format: without an await outside of functions.
import { backendInfo, LSTM, RNN } from 'native-rnn'
import { results } from './results.mjs'

results({ backendInfo, LSTM, RNN }).then((found) => console.log(JSON.stringify(found)))
