import { diff } from '../diff.ts'
import { useAsked } from './useAsked.ts'
import { type Change, type Diff, DIFF, named } from './versions.ts'

interface Compared {
  jobKey: string
  number: number
  since: number | null
  turn: number
}

export function Differences({ jobKey, number, since, turn }: Compared) {
  const { data, error } = useAsked<Diff>(DIFF, { jobKey, number, since }, turn)
  if (error) return <p role="alert">{error}</p>
  const changes = data?.jobByKey?.version?.changes
  if (!changes) return null
  if (!changes.length) return <p className="quiet">Nothing differs.</p>
  return (
    <div className="differences">
      {changes.map(change => (
        <Difference
          key={change.path}
          change={{ ...change, before: named(data, change.before), after: named(data, change.after) }}
        />
      ))}
    </div>
  )
}

function Difference({ change: { path, kind, before, after } }: { change: Change }) {
  return (
    <figure>
      <figcaption>
        <code>{path}</code>
        <span className={`kind kind-${kind.toLowerCase()}`}>{kind.toLowerCase()}</span>
      </figcaption>
      <pre>
        {diff(before, after).map(({ sign, text }, index) => (
          <span key={index} className={{ '+': 'added', '-': 'removed', ' ': 'same' }[sign]}>
            {sign} {text}
            {'\n'}
          </span>
        ))}
      </pre>
    </figure>
  )
}
