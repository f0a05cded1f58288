// What an ES module of a user does; prints one line of JSON that the package test reads.
import { backendInfo, LSTM, RNN } from 'native-rnn'
import { results } from './results.mjs'

console.log(JSON.stringify(await results({ backendInfo, LSTM, RNN })))
