/** Lets a server with replicas read the editors' queries from one that has the page's last change (docs/clients.md). */
const HEADER = 'X-Mainsheet-Consistency'

let newest: string | undefined
let changes = 0 // grows with each change that the page learns of, so that responses to earlier requests are ignored
let mutations = 0 // those that are running

/** Return the header for a query, unless a mutation is running. */
export function consistency(): Record<string, string> {
  return newest && !mutations ? { [HEADER]: newest } : {}
}

/** Send a request. Keep the value of its response, unless the page learned of another change meanwhile. */
export async function keepingConsistency(isMutation: boolean, send: () => Promise<Response>): Promise<Response> {
  if (isMutation) {
    mutations += 1
    forgetConsistency()
  }
  const begun = changes
  let value: string | null = null
  try {
    const response = await send()
    value = changes === begun ? response.headers.get(HEADER) : null
    return response
  } finally {
    if (isMutation) {
      mutations -= 1
      forgetConsistency()
    }
    newest = value ?? newest
  }
}

/** Read from the primary again: no value is known that has the change of an event or of a mutation. */
export function forgetConsistency() {
  changes += 1
  newest = undefined
}
