/** Files of a server: a page has no others. */
const { fetch: ask } = globalThis

/** The body of what lies at an address; a path is one that begins at the page. What the network throws passes as it is. */
export async function readFile(path: string | URL, failed: (why: string) => never): Promise<Uint8Array> {
  if (!ask) return failed('there are no files here, and no fetch; readSafetensors and Model.read take bytes')
  const answer = await ask(path)
  if (!answer.ok) return failed(`the server answers ${answer.status} ${answer.statusText}`.trimEnd())
  return new Uint8Array(await answer.arrayBuffer())
}

/** None are looked for: the program that reads a model is not asked to wait while it is read. */
export function filesBeside(_path: string | URL): undefined {
  return undefined
}
