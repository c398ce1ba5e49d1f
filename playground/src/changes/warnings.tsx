import type { GraphQLRequest } from '../api.ts'
import { identity, isDemo } from '../identity.ts'
import { useStore } from '../store.ts'
import type { Kind } from './mutations.ts'
import type { Situation } from './situation.ts'

/** Say which jobs depend on a new current version, and that data is real outside the demo. */
export function Warnings({ kind, situation: { dependents } }: { kind: Kind; situation: Situation }) {
  const isReal = !isDemo(useStore(identity))
  const { totalCount, nodes } = dependents
  const more = totalCount - nodes.length
  return (
    <>
      {(kind === 'publish' || kind === 'activate') && totalCount > 0 && (
        <p className="warning">
          {totalCount === 1 ? 'This job depends' : `${totalCount} jobs depend`} on it and will wait for runs of this version:{' '}
          {nodes.map(({ jobKey }) => jobKey).join(', ')}
          {more > 0 && ` and ${more} more`}.
        </p>
      )}
      {isReal && <p className="warning">This isn't the demo: it changes data of your organization immediately.</p>}
    </>
  )
}

interface InTheWay {
  kind: Kind
  situation: Situation
  discardDraft: boolean
  choose: (discardDraft: boolean) => void
}

/** The draft that prevents the change, with the choice to discard it where there is one. */
export function DraftInTheWay({ kind, situation: { draft }, discardDraft, choose }: InTheWay) {
  if (!draft || (kind !== 'create' && kind !== 'activate')) return null
  const { number, updatedBy, updatedAt, changes } = draft
  const count = changes.length === 1 ? '1 change' : `${changes.length} changes`
  return (
    <div className="warning">
      <p>
        There is a draft in the way: v{number} with {count}, last edited by {updatedBy.displayName} on{' '}
        {new Date(updatedAt).toLocaleDateString(undefined, { dateStyle: 'medium' })}.{' '}
        {kind === 'create' && 'A job has one draft at most: edit, publish or discard that one first.'}
      </p>
      {kind === 'activate' && (
        <label className="check">
          <input type="checkbox" checked={discardDraft} onChange={({ target }) => choose(target.checked)} /> Discard the draft v{number}
        </label>
      )}
    </div>
  )
}

export const Operation = ({ request: { query, variables } }: { request: GraphQLRequest }) => (
  <details className="operation" open>
    <summary>The operation that is sent</summary>
    <pre>
      {query}
      {'\n\n'}
      {JSON.stringify(variables, null, 2)}
    </pre>
  </details>
)
