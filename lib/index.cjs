/** What `require` loads: the module that `import` loads, so that a process has one package with one state. */
function load() {
  try {
    return require('./index.js')
  } catch {
    // Jest has a `require` of its own, which knows no ES modules, and hides Node's; what runs outside of its context still sees that.
    const host = process.getBuiltinModule('node:vm').runInThisContext('process')
    return host.getBuiltinModule('node:module').createRequire(__filename)('./index.js')
  }
}

module.exports = load()
