import { useEffect, useState } from 'react'
import { historyOf } from '../historyOf.ts'
import { JobPicker } from '../JobPicker.tsx'
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

function Versioned({ jobKey }: { jobKey: string }) {
  const [pages, setPages] = useState(1)
  const answered = useStore(turn)
  const { data: job, error } = useLoaded(signal => loadHistory(jobKey, pages, signal), `${jobKey} ${pages}`, answered)
  const [shown, show] = useState<number>()
  const newest = job?.draft?.number ?? job?.versions.nodes[0]?.number
  useEffect(() => show(newest), [newest])
  if (error) return <p role="alert">{error}</p>
  if (job === null) return <p className="quiet">There is no job with the key {jobKey} that you can see.</p>
  if (!job) return <p className="quiet">Loading …</p>
  const { totalCount, nodes, pageInfo } = job.versions
  return (
    <>
      <Timeline job={job} jobKey={jobKey} turn={answered} shown={shown} show={show} />
      {pageInfo.hasNextPage && (
        <p className="quiet more">
          The newest {nodes.length} of {totalCount} versions.{' '}
          <button type="button" onClick={() => setPages(pages + 1)}>
            Older versions
          </button>
        </p>
      )}
    </>
  )
}
