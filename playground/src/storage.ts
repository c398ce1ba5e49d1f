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

export const lasting = areaOf(() => localStorage)
export const session = areaOf(() => sessionStorage)

/** Keep the text if there is room for it: for what the page can do without. Return whether it was kept. */
export function tryToKeep(area: Area, key: string, text: string): boolean {
  try {
    area.setItem(key, text)
    return true
  } catch {
    return false // the storage is full
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

/** What version 0.2.0 kept, for all paths of the host. */
const shared = areaOf(() => localStorage, '')

const keysOfGraphiql = (area: Area) => area.keys().filter(key => key.startsWith('graphiql:'))

export const graphiqlStorage = {
  getItem(key: string) {
    const text = lasting.getItem(key)
    return text && cleaned(key, text)
  },
  setItem: (key: string, text: string) => lasting.setItem(key, cleaned(key, text)),
  removeItem: (key: string) => lasting.removeItem(key),
  get length() {
    return keysOfGraphiql(lasting).length
  },
  clear() {
    for (const area of [lasting, shared]) keysOfGraphiql(area).forEach(key => area.removeItem(key))
  },
}

const ADOPTED = 'mainsheet:adopted'

/** Copy what version 0.2.0 kept, once. It kept headers, too. What there is no room for is copied at a later visit. */
function adopt() {
  const isAdopted = lasting.getItem(ADOPTED) !== null
  let isComplete = true
  for (const key of shared.keys().filter(key => /^(graphiql|mainsheet):/.test(key))) {
    const text = cleaned(key, shared.getItem(key) ?? '')
    if (key in HISTORIES) tryToKeep(shared, key, text)
    if (!isAdopted && lasting.getItem(key) === null) isComplete = tryToKeep(lasting, key, text) && isComplete
  }
  if (!isAdopted && isComplete) tryToKeep(lasting, ADOPTED, 'yes')
}

adopt()
