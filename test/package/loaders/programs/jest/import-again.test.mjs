// A second file in the same process.
import './import.test.mjs'
