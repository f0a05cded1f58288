/** Listens until SIGTERM or SIGINT, and then ends as a deploy wants; the rest is what the server does on closing. */

/** Prints the address when it can be reached. */
export async function listen(app, host, port) {
  const stop = () => {
    app.close()
    // A connection that has its last answer goes; a client that never finishes its request does not hold up a deploy.
    setInterval(() => app.server.closeIdleConnections(), 50).unref()
    setTimeout(() => process.exit(1), 10_000).unref()
  }
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, stop)
  console.log(`Listening on ${await app.listen({ host, port: Number(port) })}`)
}
