// The same from CommonJS, by require().
const { backendInfo, LSTM, RNN } = require('native-rnn')

import('./results.mjs')
  .then(({ results }) => results({ backendInfo, LSTM, RNN }))
  .then((found) => console.log(JSON.stringify(found)))
