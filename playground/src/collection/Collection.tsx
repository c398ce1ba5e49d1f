import { useGraphiQL } from '@graphiql/react'
import { type ChangeEvent, type FormEvent, useRef, useState } from 'react'
import { operationOf } from '../operations.ts'
import { Problem } from '../problem.ts'
import { tab } from '../requests.ts'
import { saveFile } from '../save.ts'
import { useStore } from '../store.ts'
import { useOpen } from '../useOpen.ts'
import { CurlForm } from './CurlForm.tsx'
import { addFile, has, type Item, items, LONGEST_NAME, nameOf, remove, rename, save, toFile } from './items.ts'

/** The names under which operations were opened in tabs. */
const openedAs = new Map<string, string>()

/** Says what was done. A problem is thrown. */
export type Attempt = (work: () => string | undefined) => void

export default function Collection() {
  const [done, setDone] = useState<string>()
  const [problem, setProblem] = useState<string>()
  const attempt: Attempt = work => {
    try {
      setDone(work())
      setProblem(undefined)
    } catch (error) {
      setDone(undefined)
      setProblem((error as Error).message)
    }
  }
  return (
    <section className="panel" aria-label="Collection">
      <h2>Collection</h2>
      <p className="quiet">
        Operations that this browser keeps for this server, with their variables, but without headers and tokens. A name such
        as <code>Reports/Daily</code> puts one into a group.
      </p>
      <SaveForm attempt={attempt} />
      <p role="status">{done}</p>
      {problem && <p role="alert">{problem}</p>}
      <Items attempt={attempt} />
      <Files attempt={attempt} />
      <CurlForm attempt={attempt} />
    </section>
  )
}

function SaveForm({ attempt }: { attempt: Attempt }) {
  const { query, variables, operationName } = useGraphiQL(state => ({
    query: state.queryEditor,
    variables: state.variableEditor,
    operationName: state.operationName,
  }))
  useStore(items) // the button's text depends on it
  const current = useStore(tab)
  const [typed, type] = useState<{ tab: string; name: string }>()
  const name = typed?.tab === current ? typed.name : (openedAs.get(current) ?? operationName ?? '')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    attempt(() => {
      save({ name: name.trim(), query: query?.getValue() ?? '', variables: variables?.getValue() ?? '' })
      openedAs.set(current, name.trim())
      type(undefined)
      return `${name.trim()} was saved.`
    })
  }
  return (
    <form className="save" onSubmit={submit}>
      <input
        aria-label="Name of the operation"
        placeholder="Name"
        required
        pattern=".*\S.*"
        maxLength={LONGEST_NAME}
        value={name}
        onChange={({ target }) => type({ tab: current, name: target.value })}
      />
      <button type="submit">{has(name.trim()) ? 'Replace' : 'Save'}</button>
    </form>
  )
}

const groupOf = ({ name }: Item) => name.split('/').slice(0, -1).join('/').trim()

function Items({ attempt }: { attempt: Attempt }) {
  const all = useStore(items)
  if (!all.length) return <p className="quiet">Nothing yet. The form above saves the operation of the open tab.</p>
  return [...new Set(all.map(groupOf))].sort().map(group => (
    <section key={group}>
      {group && <h3>{group}</h3>}
      <ol className="collection" aria-label={group || 'Operations'}>
        {all
          .filter(item => groupOf(item) === group)
          .map(item => (
            <Line key={item.name} item={item} attempt={attempt} />
          ))}
      </ol>
    </section>
  ))
}

function Line({ item, attempt }: { item: Item; attempt: Attempt }) {
  const { name, query, variables } = item
  const open = useOpen()
  const openItem = () => {
    open?.(query, variables)
    openedAs.set(tab.get(), name)
  }
  const renameTo = (wanted: string) => {
    rename(item, wanted)
    for (const [id, opened] of openedAs) if (opened === name) openedAs.set(id, wanted)
  }
  const ask = () => {
    const wanted = nameOf(prompt('The new name', name) ?? '')
    if (wanted && wanted !== name) attempt(() => void renameTo(wanted))
  }
  return (
    <li>
      <button type="button" onClick={openItem}>
        <strong>{name.split('/').at(-1)}</strong>
        <small>{operationOf({ query })?.operation ?? 'with an error'}</small>
      </button>
      <span className="actions">
        <button type="button" aria-label={`Rename ${name}`} onClick={ask}>
          Rename
        </button>
        <button type="button" aria-label={`Delete ${name}`} onClick={() => confirm(`Delete ${name}?`) && attempt(() => void remove(item))}>
          Delete
        </button>
      </span>
    </li>
  )
}

function Files({ attempt }: { attempt: Attempt }) {
  const input = useRef<HTMLInputElement>(null)
  const read = async ({ target }: ChangeEvent<HTMLInputElement>) => {
    const file = target.files?.[0]
    if (!file) return
    const text = await file.text().catch(() => undefined)
    target.value = '' // the same file may be chosen again
    attempt(() => {
      if (text === undefined) throw new Problem("The file can't be read. Was it moved or changed?")
      return addFile(text)
    })
  }
  return (
    <p className="actions">
      <button type="button" disabled={!useStore(items).length} onClick={() => saveFile(toFile(), 'application/json', 'collection.json')}>
        Export as a file
      </button>
      <button type="button" onClick={() => input.current?.click()}>
        Import a file
      </button>
      <input ref={input} type="file" accept=".json,application/json" hidden onChange={event => void read(event)} />
    </p>
  )
}
