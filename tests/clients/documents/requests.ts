/** Count the requests that clients send: their methods, and whether they have the document's text. */
export const { URL: url = '', TOKEN } = process.env
export const headers = { Authorization: `Bearer ${TOKEN}` }

export const sent: string[] = []

export const counted: typeof fetch = (input, init) => {
  const body = typeof init?.body === 'string' ? JSON.parse(init.body) : {}
  const hasText = 'query' in body || new URL(String(input)).searchParams.has('query')
  sent.push(`${init?.method} ${hasText ? 'text' : 'hash'}`)
  return fetch(input, init)
}

/** Return the requests since the last call. */
export const requests = () => sent.splice(0)
