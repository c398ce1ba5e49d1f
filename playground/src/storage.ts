/** What the page keeps in this browser, for later visits and until the browser tab is closed. */
import { isObject, type Json } from './json.ts'

interface Area {
  getItem(key: string): string | null
  setItem(key: string, text: string): void
  removeItem(key: string): void
  keys(): string[]
}

/** A browser's storage belongs to all pages of a host. Servers at other paths of it must not get this one's tokens. */
const OWN = `${location.pathname} `

/** Return the browser's storage of keys with the prefix, or one that is lost with the page if it allows none. */
function areaOf(open: () => Storage, prefix = OWN): Area {
  try {
    const storage = open()
    return {
      getItem: key => storage.getItem(prefix + key),
      setItem: (key, text) => storage.setItem(prefix + key, text),
      removeItem: key => storage.removeItem(prefix + key),
      keys: () => Object.keys(storage).filter(key => key.startsWith(prefix)).map(key => key.slice(prefix.length)),
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

/** The key of the browser's storage under which this page keeps its own. */
export const ownKey = (key: string) => OWN + key

const own = areaOf(() => localStorage)

/** What version 0.2.0 kept, for all paths of the host. It is read until the page keeps its own under the key. */
const shared = areaOf(() => localStorage, '')

export const lasting: Area = {
  ...own,
  getItem: key => own.getItem(key) ?? shared.getItem(key),
  removeItem: key => (shared.getItem(key) === null ? own.removeItem(key) : own.setItem(key, '')),
}
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
export function keptObject(text: string | null): Json {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

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
export function isReadable(item: unknown): item is Json {
  if (!isObject(item)) return false
  const texts = [item.query, item.variables, item.operationName, item.label]
  return texts.every(text => text == null || typeof text === 'string')
}

const keysOfGraphiql = (area: Area) => area.keys().filter(key => key.startsWith('graphiql:'))

export const graphiqlStorage = {
  getItem(key: string) {
    const text = lasting.getItem(key)
    return text && cleaned(key, text)
  },
  setItem: (key: string, text: string) => lasting.setItem(key, cleaned(key, text)),
  removeItem: (key: string) => lasting.removeItem(key),
  get length() {
    return keysOfGraphiql(own).length
  },
  clear() {
    for (const area of [own, shared]) keysOfGraphiql(area).forEach(key => area.removeItem(key))
  },
}

// Version 0.2.0 kept headers.
for (const key of Object.keys(HISTORIES)) {
  const text = shared.getItem(key)
  if (text) tryToKeep(shared, key, cleaned(key, text))
}
