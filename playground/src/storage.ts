/** What GraphiQL keeps in this browser: its history never has headers, because they may have tokens. */

/** The keys of GraphiQL's lists of operations, and the names of the lists in their values. */
const HISTORIES: Record<string, string> = { 'graphiql:queries': 'queries', 'graphiql:favorites': 'favorites' }

type Json = Record<string, unknown>

function withoutHeaders(key: string, text: string): string {
  const name = HISTORIES[key]
  if (!name) return text
  const { [name]: items } = JSON.parse(text) as Record<string, Json[]>
  return JSON.stringify({ [name]: items?.map(({ headers: _, ...item }) => item) })
}

const keys = () => Object.keys(localStorage).filter(key => key.startsWith('graphiql:'))

export const graphiqlStorage = {
  getItem: (key: string) => localStorage.getItem(key),
  setItem: (key: string, text: string) => localStorage.setItem(key, withoutHeaders(key, text)),
  removeItem: (key: string) => localStorage.removeItem(key),
  get length() {
    return keys().length
  },
  clear: () => keys().forEach(key => localStorage.removeItem(key)),
}

// Earlier versions of the page kept headers.
for (const key of Object.keys(HISTORIES)) {
  const text = localStorage.getItem(key)
  if (text) graphiqlStorage.setItem(key, text)
}
