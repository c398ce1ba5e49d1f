/** What the version history asks, and what it makes of the answers. */

export const JOBS = `query Jobs($search: String) {
  jobs(limit: 100, sortBy: JOB_KEY, filter: { search: $search }) { totalCount nodes { jobKey name } }
}`

export const HISTORY = `query VersionHistory($jobKey: String!) {
  jobByKey(jobKey: $jobKey) {
    name
    draft { number createdAt createdBy { name } basedOn { number } changes { path } }
    currentVersion { number }
    versions(limit: 100, sortDirection: DESC) {
      totalCount
      nodes { number message publishedAt publishedBy { name } basedOn { number } changes { path } }
    }
    history(last: 100) { nodes { id action occurredAt actor { name } fromVersion toVersion message } }
  }
}`

export const DIFF = `query VersionDiff($jobKey: String!, $number: Int!, $since: Int) {
  jobByKey(jobKey: $jobKey) {
    version(number: $number) {
      changes(since: $since) { path kind before after }
    }
  }
  clusters { nodes { id name } }
  savedQueries { nodes { id name } }
}`

export interface Jobs {
  jobs: { totalCount: number; nodes: { jobKey: string; name: string }[] }
}

interface Version {
  number: number
  basedOn: { number: number } | null
  changes: { path: string }[]
}

interface Published extends Version {
  message: string | null
  publishedAt: string
  publishedBy: { name: string }
}

interface Draft extends Version {
  createdAt: string
  createdBy: { name: string }
}

interface Event {
  id: string
  action: string
  occurredAt: string
  actor: { name: string } | null
  fromVersion: number | null
  toVersion: number | null
  message: string | null
}

export interface JobHistory {
  name: string
  draft: Draft | null
  currentVersion: { number: number }
  versions: { totalCount: number; nodes: Published[] }
  history: { nodes: Event[] }
}

export interface History {
  jobByKey: JobHistory | null
}

export interface Change {
  path: string
  kind: 'ADDED' | 'CHANGED' | 'REMOVED'
  before: string | null
  after: string | null
}

interface Named {
  nodes: { id: string; name: string }[]
}

export interface Diff {
  jobByKey: { version: { changes: Change[] } | null } | null
  clusters: Named
  savedQueries: Named
}

/** Put names in the place of the ids of clusters and saved queries. */
export function named({ clusters, savedQueries }: Diff, text: string | null) {
  const names = new Map([...clusters.nodes, ...savedQueries.nodes].map(({ id, name }) => [id, name]))
  return text?.replace(/\b[A-Z0-9]{20}\b/g, id => names.get(id) ?? id) ?? null
}

export interface Moment {
  kind: 'draft' | 'version' | 'activation'
  key: string
  at: string
  who: string
  message: string | null
  number: number
  from: number | null
  changed: number
}

/** The newest first: the draft, each version, and each time the current pointer went to another version. */
export function moments({ draft, versions, history }: JobHistory): Moment[] {
  const published = versions.nodes.map(version => ({ ...entry('version', version, version.publishedAt), who: version.publishedBy.name, message: version.message }))
  const moved = history.nodes.filter(event => event.action === 'VERSION_ACTIVATED').map(activation)
  const all = [...published, ...moved].sort((a, b) => b.at.localeCompare(a.at))
  return draft ? [{ ...entry('draft', draft, draft.createdAt), who: draft.createdBy.name, message: null }, ...all] : all
}

function entry(kind: 'draft' | 'version', { number, basedOn, changes }: Version, at: string) {
  return { kind, key: `${kind}-${number}`, at, number, from: basedOn?.number ?? null, changed: changes.length }
}

function activation(event: Event): Moment {
  const { id, occurredAt, actor, message, toVersion, fromVersion } = event
  return { kind: 'activation', key: id, at: occurredAt, who: actor?.name ?? 'somebody', message, number: toVersion ?? 0, from: fromVersion, changed: 0 }
}
