import { useState } from 'react'
import { turn } from '../requests.ts'
import { useStore } from '../store.ts'
import { Differences } from './Differences.tsx'
import { Timeline } from './Timeline.tsx'
import { useAsked } from './useAsked.ts'
import { type History, HISTORY, type JobHistory, type Jobs, JOBS } from './versions.ts'

const CHOSEN = 'mainsheet:history-of'

export default function Versions() {
  const [jobKey, choose] = useState(localStorage.getItem(CHOSEN) ?? '')
  const ran = useStore(turn)
  const jobs = useAsked<Jobs>(JOBS, {}, 0)
  const known = jobs.data?.jobs.nodes ?? []
  const key = known.some(job => job.jobKey === jobKey) ? jobKey : known[0]?.jobKey
  const history = useAsked<History>(HISTORY, key ? { jobKey: key } : undefined, ran)
  const job = history.data?.jobByKey
  const error = jobs.error ?? history.error
  return (
    <section className="panel" aria-label="Version History">
      <h2>Version history</h2>
      <select
        aria-label="Job"
        value={key ?? ''}
        onChange={({ target }) => {
          localStorage.setItem(CHOSEN, target.value)
          choose(target.value)
        }}
      >
        {known.map(each => (
          <option key={each.jobKey} value={each.jobKey}>
            {each.jobKey} — {each.name}
          </option>
        ))}
      </select>
      {error && <p role="alert">{error}</p>}
      {jobs.data && !key && <p className="quiet">You see no job.</p>}
      {job && key && <Versioned key={key} job={job} jobKey={key} turn={ran} />}
    </section>
  )
}

function Versioned({ job, jobKey, turn }: { job: JobHistory; jobKey: string; turn: number }) {
  const numbers = [...(job.draft ? [job.draft.number] : []), ...job.versions.nodes.map(version => version.number)]
  const newest = numbers[0] ?? 1
  const baseOf = (number: number) => [job.draft, ...job.versions.nodes].find(each => each?.number === number)?.basedOn?.number ?? null
  const [pair, compare] = useState<{ to: number; since: number | null }>()
  const { to, since } = pair && numbers.includes(pair.to) ? pair : { to: newest, since: baseOf(newest) }
  return (
    <>
      <Timeline job={job} shown={to} show={number => compare({ to: number, since: baseOf(number) })} />
      <div className="compare">
        <h3>What differs</h3>
        <Pick label="From" value={since} numbers={numbers} none={since === null} pick={number => compare({ to, since: number })} />
        <span aria-hidden="true">→</span>
        <Pick label="To" value={to} numbers={numbers} pick={number => compare({ to: number ?? newest, since })} />
      </div>
      <Differences jobKey={jobKey} number={to} since={since} turn={turn} />
    </>
  )
}

interface Choice {
  label: string
  value: number | null
  numbers: number[]
  none?: boolean
  pick: (number: number | null) => void
}

function Pick({ label, value, numbers, none = false, pick }: Choice) {
  return (
    <select aria-label={label} value={value ?? ''} onChange={({ target }) => pick(target.value ? Number(target.value) : null)}>
      {none && <option value="">nothing</option>}
      {numbers.map(number => (
        <option key={number} value={number}>
          v{number}
        </option>
      ))}
    </select>
  )
}
