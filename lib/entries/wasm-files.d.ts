/** What `import` of a WebAssembly file gives in edge runtimes. */
declare module '*.wasm' {
  const module: unknown
  export default module
}
declare module '*.wasm?module' {
  const module: unknown
  export default module
}
