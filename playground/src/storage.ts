/** What the page keeps in this browser, for later visits and until the browser tab is closed. */

interface Area {
  getItem(key: string): string | null
  setItem(key: string, text: string): void
  removeItem(key: string): void
  keys(): string[]
}

/** Return the browser's storage, or one that is lost with the page if the browser allows none. */
function areaOf(open: () => Storage): Area {
  try {
    const storage = open()
    return {
      getItem: key => storage.getItem(key),
      setItem: (key, text) => storage.setItem(key, text),
      removeItem: key => storage.removeItem(key),
      keys: () => Object.keys(storage),
    }
  } catch {
    return memory()
  }
}

function memory(): Area {
  const texts = new Map<string, string>()
  return {
    getItem: key => texts.get(key) ?? null,
    setItem: (key, text) => void texts.set(key, text),
    removeItem: key => void texts.delete(key),
    keys: () => [...texts.keys()],
  }
}

export const lasting = areaOf(() => localStorage)
export const session = areaOf(() => sessionStorage)

/** Keep the text if there is room for it: for what the page can do without. */
export function tryToKeep(area: Area, key: string, text: string) {
  try {
    area.setItem(key, text)
  } catch {
    // the storage is full
  }
}

/** Return the object that was kept, or an empty one if there is none that can be read. */
export function keptObject(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The keys of GraphiQL's lists of operations, and the names of the lists in their values. */
const HISTORIES: Record<string, string> = { 'graphiql:queries': 'queries', 'graphiql:favorites': 'favorites' }

/** Remove headers from GraphiQL's history, because they may have tokens, and operations that it couldn't read. */
function cleaned(key: string, text: string): string {
  const name = HISTORIES[key]
  if (!name) return text
  const items = keptObject(text)[name]
  const readable = Array.isArray(items) ? items.filter(isReadable) : []
  return JSON.stringify({ [name]: readable.map(({ headers: _, ...item }) => item) })
}

/** Whether GraphiQL can show the operation. */
export function isReadable(item: unknown): item is Record<string, unknown> {
  return isObject(item) && [item.query, item.variables, item.operationName, item.label].every(text => text == null || typeof text === 'string')
}

const keysOfGraphiql = () => lasting.keys().filter(key => key.startsWith('graphiql:'))

export const graphiqlStorage = {
  getItem: (key: string) => lasting.getItem(key),
  setItem: (key: string, text: string) => lasting.setItem(key, cleaned(key, text)),
  removeItem: (key: string) => lasting.removeItem(key),
  get length() {
    return keysOfGraphiql().length
  },
  clear: () => keysOfGraphiql().forEach(key => lasting.removeItem(key)),
}

// Earlier versions of the page kept headers.
for (const key of Object.keys(HISTORIES)) {
  const text = lasting.getItem(key)
  if (text) tryToKeep(lasting, key, cleaned(key, text))
}
