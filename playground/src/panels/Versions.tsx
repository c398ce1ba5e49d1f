import { useEffect, useState } from 'react'
import { ChangeDialog } from '../changes/ChangeDialog.tsx'
import type { Change } from '../changes/mutations.ts'
import { historyOf } from '../historyOf.ts'
import { JobPicker } from '../JobPicker.tsx'
import { useMoved } from '../live/useMoved.ts'
import { turn } from '../requests.ts'
import { useStore } from '../store.ts'
import { Timeline } from './Timeline.tsx'
import { useLoaded } from './useQuery.ts'
import { loadHistory } from './versions.ts'

export default function Versions() {
  const jobKey = useStore(historyOf)
  return (
    <section className="panel" aria-label="Version History">
      <h2>Version history</h2>
      <JobPicker value={jobKey} choose={historyOf.set} />
      {jobKey ? <Versioned key={jobKey} jobKey={jobKey} /> : <p className="quiet">Choose a job to see its versions.</p>}
    </section>
  )
}

/** Where in the feed the history begins to follow it. */
interface Position {
  jobId: string
  cursor: string | null
}

function Versioned({ jobKey }: { jobKey: string }) {
  const [pages, setPages] = useState(1)
  const answered = useStore(turn)
  const [position, setPosition] = useState<Position>()
  const moved = useMoved(position?.cursor, position && { jobIds: [position.jobId] })
  const now = answered + moved
  const { data: job, error } = useLoaded(signal => loadHistory(jobKey, pages, signal), jobKey, now + pages)
  useEffect(() => {
    if (job) setPosition(before => before ?? { jobId: job.id, cursor: job.position })
  }, [job])
  // A number, null for none, or undefined while the person hasn't chosen: then it is the newest.
  const [chosen, choose] = useState<number | null>()
  const [change, begin] = useState<Change>()
  const [done, setDone] = useState('')
  const newest = job?.draft?.number ?? job?.versions.nodes[0]?.number
  const isThere = chosen == null || chosen === job?.draft?.number || job?.versions.nodes.some(each => each.number === chosen)
  const shown = chosen === undefined || !isThere ? newest : (chosen ?? undefined)
  const finish = (sentence: string) => {
    begin(undefined)
    choose(undefined)
    setDone(sentence)
    turn.set(turn.get() + 1)
  }
  return (
    <>
      <p role="status">{done}</p>
      {error && <p role="alert">{error}</p>}
      {job === null && <p className="quiet">There is no job with the key {jobKey} that you can see.</p>}
      {job === undefined && !error && <p className="quiet">Loading …</p>}
      {job && !job.viewerPermissions.includes('EDIT') && (
        <p className="quiet">You can see this job. To change it you need the permission EDIT.</p>
      )}
      {job && (
        <Timeline
          job={job}
          jobKey={jobKey}
          turn={now}
          shown={shown}
          show={number => choose(number ?? null)}
          begin={(kind, number) => begin({ kind, jobKey, number })}
        />
      )}
      {job?.versions.pageInfo.hasNextPage && (
        <p className="quiet more">
          The newest {job.versions.nodes.length} of {job.versions.totalCount} versions.{' '}
          <button type="button" onClick={() => setPages(pages + 1)}>
            Older versions
          </button>
        </p>
      )}
      <ChangeDialog change={change} close={() => begin(undefined)} finish={finish} />
    </>
  )
}
