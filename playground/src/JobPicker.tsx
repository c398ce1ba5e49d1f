import { useEffect, useState } from 'react'
import { useMoved } from './live/useMoved.ts'
import { useQuery } from './panels/useQuery.ts'

const JOBS = `query Jobs($search: String, $chosen: String!) {
  events(first: 1, sortDirection: DESC) { nodes { cursor } }
  chosen: jobByKey(jobKey: $chosen) { ...Choice }
  jobs(first: 100, sortBy: JOB_KEY, filter: { search: $search }) { totalCount nodes { ...Choice } }
}
fragment Choice on Job { id jobKey name }`

interface Job {
  id: string
  jobKey: string
  name: string
}

interface Jobs {
  events: { nodes: { cursor: string }[] }
  chosen: Job | null
  jobs: { totalCount: number; nodes: Job[] }
}

interface Picker {
  /** The field's name in a form. */
  name?: string
  by?: 'id' | 'jobKey'
  /** The chosen job's key. */
  value: string
  choose: (jobKey: string) => void
}

/** Choose one of the jobs that the member can see. A search finds those that the list doesn't contain. */
export function JobPicker({ name, by = 'jobKey', value, choose }: Picker) {
  const [search, setSearch] = useState('')
  const [position, setPosition] = useState<string | null>()
  const moved = useMoved(position, { actions: ['JOB_CREATED', 'JOB_UPDATED', 'JOB_DELETED', 'TEAMS_ADDED_TO_JOB', 'TEAM_REMOVED_FROM_JOB'] })
  const { data, error } = useQuery<Jobs>(JOBS, { search: search || null, chosen: value }, moved)
  useEffect(() => {
    if (data) setPosition(data.events.nodes[0]?.cursor ?? null)
  }, [data])
  const found = data?.jobs.nodes ?? []
  const { chosen, totalCount } = { chosen: data?.chosen, totalCount: data?.jobs.totalCount ?? 0 }
  const listed = chosen && !found.some(job => job.id === chosen.id) ? [chosen, ...found] : found
  const current = listed.find(job => job.jobKey === value)
  return (
    <div className="picker">
      <input
        type="search"
        aria-label="Search jobs"
        placeholder="Search key, name, description"
        maxLength={255}
        value={search}
        onChange={({ target }) => setSearch(target.value)}
      />
      <select
        aria-label="Job"
        name={name}
        required
        value={current?.[by] ?? ''}
        onChange={({ target }) => choose(listed.find(job => job[by] === target.value)?.jobKey ?? '')}
      >
        <option value="" disabled>
          Choose a job
        </option>
        {listed.map(job => (
          <option key={job.id} value={job[by]}>
            {job.jobKey} — {job.name}
          </option>
        ))}
      </select>
      {error && <p role="alert">{error}</p>}
      {data && <Listed shown={found.length} total={totalCount} />}
    </div>
  )
}

function Listed({ shown, total }: { shown: number; total: number }) {
  if (!total) return <p className="quiet">No job that you can see matches.</p>
  if (shown === total) return null
  return (
    <p className="quiet">
      The list has {shown} of {total} jobs. Search to find the others.
    </p>
  )
}
