import { useState } from 'react'
import { diff } from '../diff.ts'
import { DiffLines } from './DiffLines.tsx'
import { useLoaded } from './useQuery.ts'
import { type Change, compare } from './versions.ts'

interface Compared {
  jobKey: string
  number: number
  /** The version it is based on. */
  base: number | null
  numbers: number[]
  turn: number
}

/** The differences between a version and another one, by default its base. */
export function Differences({ jobKey, number, base, numbers, turn }: Compared) {
  const [since, compareWith] = useState(base)
  const { data: changes, error } = useLoaded(signal => compare(jobKey, number, since, signal), `${jobKey} ${number} ${since}`, turn)
  return (
    <section className="differences" aria-label={`What differs in v${number}`}>
      <label>
        Differences from{' '}
        <select aria-label="From" value={since ?? ''} onChange={({ target }) => compareWith(Number(target.value) || null)}>
          {base === null && <option value="">nothing</option>}
          {[...new Set([...numbers, ...(base === null ? [] : [base])])].map(each => (
            <option key={each} value={each}>
              v{each}
            </option>
          ))}
        </select>
      </label>
      {error && <p role="alert">{error}</p>}
      {changes?.length === 0 && <p className="quiet">Nothing differs.</p>}
      {changes?.map(change => <Difference key={change.path.join('.')} change={change} />)}
    </section>
  )
}

function Difference({ change: { path, label, kind, before, after } }: { change: Change }) {
  return (
    <figure>
      <figcaption>
        <span title={path.join('.')}>{label}</span>
        <span className={`kind kind-${kind.toLowerCase()}`}>{kind.toLowerCase()}</span>
      </figcaption>
      <DiffLines lines={diff(before, after)} />
    </figure>
  )
}
