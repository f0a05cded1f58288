// What an ES module of a user does; prints one line of JSON that the package test reads.
import * as rnn from 'native-rnn'
import { results } from './results.mjs'

// The files are minified, and names of classes and functions stand in stack traces and in what users print.
for (const [name, value] of Object.entries(rnn))
  if (value.name !== name) throw new Error(`${name} is named ${value.name}`)

console.log(JSON.stringify(await results(rnn)))
