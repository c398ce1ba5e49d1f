import { Button } from '@graphiql/react'
import { useEffect, useRef } from 'react'
import { diff, nearChanges } from '../diff.ts'
import { DiffLines } from '../panels/DiffLines.tsx'
import { textOf } from './config.ts'
import type { Situation } from './situation.ts'

interface Conflicting {
  before: Situation
  now: Situation
  /** The edited configuration laid over the present draft. */
  mine?: string
  /** Missing if the change can't be made any more. */
  goOn?: () => void
}

/** Both states of a job that changed after the dialog was opened. */
export function Conflict({ before, now, mine, goOn }: Conflicting) {
  const section = useRef<HTMLElement>(null)
  useEffect(() => {
    section.current?.scrollIntoView()
  }, [])
  return (
    <section ref={section} className="conflict" aria-label="Conflict">
      <h3>The job has changed since you opened this</h3>
      <table>
        <thead>
          <tr>
            <td />
            <th scope="col">When you opened it</th>
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Current version</th>
            <td>v{before.currentVersion.number}</td>
            <td>v{now.currentVersion.number}</td>
          </tr>
          <tr>
            <th scope="row">Draft</th>
            <td>{stateOf(before)}</td>
            <td>{stateOf(now)}</td>
          </tr>
        </tbody>
      </table>
      {before.draft && now.draft && (
        <Difference title="What others changed in the draft" from={textOf(before.draft.input)} to={textOf(now.draft.input)} />
      )}
      {mine && now.version && <Difference title="Your changes to the draft as it is now" from={textOf(now.version.input)} to={mine} />}
      {goOn && (
        <Button type="button" onClick={goOn}>
          Go on with the state as it is now
        </Button>
      )}
    </section>
  )
}

function Difference({ title, from, to }: { title: string; from: string; to: string }) {
  if (from === to) return null
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <DiffLines lines={nearChanges(diff(from, to))} />
    </figure>
  )
}

function stateOf({ draft }: Situation) {
  if (!draft) return 'none'
  const { number, revision, updatedBy } = draft
  return `v${number}, revision ${revision}, by ${updatedBy.displayName}`
}
