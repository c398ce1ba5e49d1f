/** Lets a server with replicas read the editors' queries from one that has the page's last change (docs/clients.md). */
const HEADER = 'X-Mainsheet-Consistency'

let newest: string | undefined

/** Return the header for a query, unless the user wrote one. */
export function consistency(headers?: Record<string, string>): Record<string, string> {
  return newest && !new Headers(headers).has(HEADER) ? { [HEADER]: newest } : {}
}

/** Keep the value of a response that has one. */
export function keepConsistency({ headers }: Response) {
  newest = headers.get(HEADER) ?? newest
}

/** Read from the primary again: no value is known for an event that the page got, or for a mutation that is running. */
export function forgetConsistency() {
  newest = undefined
}
