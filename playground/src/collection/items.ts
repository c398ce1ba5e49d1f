/** Named operations that this browser keeps for this server, with their variables. They hold no headers and no tokens. */
import { Problem } from '../problem.ts'
import { Store } from '../store.ts'

export interface Item {
  name: string
  query: string
  variables: string
}

const KEPT = 'mainsheet:collection'

export const LONGEST_NAME = 100

export const items = new Store<readonly Item[]>(load())

addEventListener('storage', ({ key }) => key === KEPT && items.set(load())) // another tab of the browser changed it

function load(): Item[] {
  try {
    return itemsOf(JSON.parse(localStorage.getItem(KEPT) ?? '[]'))
  } catch {
    return []
  }
}

function keep(changed: readonly Item[]) {
  const sorted = [...changed].sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }))
  try {
    localStorage.setItem(KEPT, JSON.stringify(sorted))
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
  for (let number = 2; isTaken(free); number++) free = `${name} ${number}`
  return free
}

function operationsIn(text: string): Item[] {
  try {
    const { mainsheetCollection, operations } = JSON.parse(text) as Record<string, unknown>
    if (mainsheetCollection === 1) return itemsOf(operations)
  } catch {
    // the message below says it
  }
  throw new Problem('The file is not a collection that this page has exported.')
}

function itemsOf(value: unknown): Item[] {
  return (value as Item[]).map(({ name, query, variables }) => {
    if ([name, query, variables].some(each => typeof each !== 'string')) throw new TypeError('texts are missing')
    return { name: name.trim().slice(0, LONGEST_NAME) || 'Unnamed', query, variables }
  })
}
