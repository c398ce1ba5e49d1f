/** Named operations that this browser keeps for this server, with their variables. They hold no headers and no tokens. */
import { Problem } from '../problem.ts'
import { lasting, ownKey } from '../storage.ts'
import { Store } from '../store.ts'

export interface Item {
  name: string
  query: string
  variables: string
}

const KEPT = 'mainsheet:collection'

export const LONGEST_NAME = 100

export const items = new Store<readonly Item[]>(load())

// Another tab of the browser changed it.
addEventListener('storage', ({ key }) => key === ownKey(KEPT) && items.set(load()))

/** Return the kept operations that can be read. */
function load(): Item[] {
  return (kept() ?? []).filter(isItem).map(itemOf)
}

/** Return what is kept, or undefined if it isn't a list. */
function kept(): unknown[] | undefined {
  try {
    const values: unknown = JSON.parse(lasting.getItem(KEPT) ?? '[]')
    return Array.isArray(values) ? values : undefined
  } catch {
    return undefined
  }
}

/** Copy what is kept if some of it can't be read: the next write would remove it. */
function setAside() {
  if (!kept()?.every(isItem)) lasting.setItem(`${KEPT}:unreadable`, lasting.getItem(KEPT) ?? '')
}

function keep(changed: readonly Item[]) {
  const sorted = [...changed].sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }))
  try {
    setAside()
    lasting.setItem(KEPT, JSON.stringify(sorted))
  } catch {
    throw new Problem("Nothing was saved: the browser's storage for this page is full. Delete operations, or clear the history.")
  }
  items.set(sorted)
}

const others = (name: string) => items.get().filter(each => each.name !== name)

export const has = (name: string) => items.get().some(each => each.name === name)

/** Save the operation, in place of one with the same name. */
export const save = (item: Item) => keep([...others(item.name), item])

export const remove = ({ name }: Item) => keep(others(name))

export function rename(item: Item, name: string) {
  if (has(name)) throw new Problem(`There is already an operation with the name ${name}.`)
  keep([...others(item.name), { ...item, name }])
}

export const toFile = () => JSON.stringify({ mainsheetCollection: 1, operations: items.get() }, null, 2)

/** Add the file's operations. One whose name is taken by another operation gets a number. */
export function addFile(text: string): string {
  const found = operationsIn(text)
  const before = items.get()
  const fresh = found.filter(each => !before.some(known => isSame(known, each)))
  keep(fresh.reduce<readonly Item[]>((known, each) => [...known, { ...each, name: freeName(each.name, known) }], before))
  const known = found.length - fresh.length
  return `${counted(fresh.length)} added${known ? `, and ${counted(known)} already there` : ''}.`
}

const counted = (count: number) => (count === 1 ? '1 operation was' : `${count} operations were`)

const isSame = (one: Item, other: Item) => one.name === other.name && one.query === other.query && one.variables === other.variables

function freeName(name: string, known: readonly Item[]) {
  const isTaken = (wanted: string) => known.some(each => each.name === wanted)
  let free = name
  for (let number = 2; isTaken(free); number++) free = `${name.slice(0, LONGEST_NAME - ` ${number}`.length)} ${number}`
  return free
}

function operationsIn(text: string): Item[] {
  try {
    const { mainsheetCollection, operations } = JSON.parse(text) as Record<string, unknown>
    if (mainsheetCollection === 1 && Array.isArray(operations) && operations.every(isItem)) return operations.map(itemOf)
  } catch {
    // the message below says it
  }
  throw new Problem('The file is not a collection that this page has exported.')
}

function isItem(value: unknown): value is Item {
  const { name, query, variables } = (value ?? {}) as Record<string, unknown>
  return [name, query, variables].every(each => typeof each === 'string')
}

function itemOf({ name, query, variables }: Item): Item {
  return { name: nameOf(name) || 'Unnamed', query, variables }
}

export function nameOf(text: string) {
  return text.trim().slice(0, LONGEST_NAME).trim()
}
