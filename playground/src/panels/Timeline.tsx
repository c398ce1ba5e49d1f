import type { Kind } from '../changes/mutations.ts'
import { Differences } from './Differences.tsx'
import { type JobHistory, type Moment, moments } from './versions.ts'

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const minute = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' })

interface Shown {
  job: JobHistory
  jobKey: string
  turn: number
  /** The version whose differences are shown. */
  shown?: number
  show: (number?: number) => void
  begin: (kind: Kind, number: number) => void
}

const KINDS = { draft: ['edit', 'publish', 'discard'], version: ['create', 'activate'] } as const
const LABELS: Record<Kind, string> = { create: 'Create a draft from it', edit: 'Edit', publish: 'Publish', discard: 'Discard', activate: 'Activate' }

export function Timeline({ job, jobKey, turn, shown, show, begin }: Shown) {
  const all = moments(job)
  const mayEdit = job.viewerPermissions.includes('EDIT')
  const numbers = all.filter(moment => moment.kind !== 'activation').map(moment => moment.number)
  return (
    <ol className="timeline" aria-label="Versions, the newest first">
      {all.map(moment => {
        const { kind, key, number, from } = moment
        if (kind === 'activation') return <Moved key={key} moment={moment} />
        const [isCurrent, isShown] = [number === job.currentVersion.number, number === shown]
        return (
          <li key={key} className={`${kind} ${isCurrent ? 'current' : ''}`}>
            <button type="button" aria-expanded={isShown} onClick={() => show(isShown ? undefined : number)}>
              <Version moment={moment} isCurrent={isCurrent} />
            </button>
            {isShown && mayEdit && (
              <p className="actions">
                {KINDS[kind].map(each => (
                  <button key={each} type="button" disabled={each === 'activate' && isCurrent} onClick={() => begin(each, number)}>
                    {LABELS[each]}
                  </button>
                ))}
              </p>
            )}
            {isShown && <Differences key={from} jobKey={jobKey} number={number} base={from} numbers={numbers} turn={turn} />}
          </li>
        )
      })}
    </ol>
  )
}

function Version({ moment, isCurrent }: { moment: Moment; isCurrent: boolean }) {
  const { kind, number, message, from, changed } = moment
  return (
    <>
      <span className="number">v{number}</span>
      <span className="what">
        <strong>
          {kind === 'draft' ? 'Draft' : (message ?? (from ? 'No message' : 'The first version'))}
          {isCurrent && <em className="badge">current</em>}
        </strong>
        <Signed moment={moment} />
        {from && (
          <small>
            {changed === 1 ? '1 change' : `${changed} changes`} since v{from}
          </small>
        )}
      </span>
    </>
  )
}

function Moved({ moment }: { moment: Moment }) {
  const { number, from, message } = moment
  return (
    <li className="activation">
      <span className="what">
        {from && from > number ? 'Back' : 'On'} to v{number}
        {message && <>: {message}</>}
        <Signed moment={moment} />
      </span>
    </li>
  )
}

const Signed = ({ moment: { who, at } }: { moment: Moment }) => (
  <small>
    {who}, <time dateTime={at} title={minute.format(new Date(at))}>{day.format(new Date(at))}</time>
  </small>
)
