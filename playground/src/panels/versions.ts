/** The queries of the version history, and its rows. */
import { ask } from '../api.ts'

/** Pages of published versions and of activations, the newest first. */
const PAGE = `query VersionHistory($jobKey: String!, $versions: Int!, $versionsAfter: String, $eventsAfter: String) {
  jobByKey(jobKey: $jobKey) {
    draft { number createdAt createdBy { displayName } basedOn { number } changes { path } }
    currentVersion { number }
    versions(first: $versions, after: $versionsAfter, sortDirection: DESC) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes { number message publishedAt publishedBy { displayName } basedOn { number } changes { path } }
    }
    events(first: 100, after: $eventsAfter, filter: {actions: [VERSION_ACTIVATED]}) {
      pageInfo { hasNextPage endCursor }
      nodes { id action occurredAt actor { displayName } fromVersionNumber toVersionNumber message }
    }
  }
}`

const DIFF = `query VersionDiff($jobKey: String!, $number: Int!, $since: Int) {
  jobByKey(jobKey: $jobKey) {
    version(number: $number) {
      changes(since: $since) { path kind before after }
    }
  }
}`

const NAMES = `query Names($ids: [ID!]!) {
  nodes(ids: $ids) { id ... on Cluster { name } ... on SavedQuery { name } ... on Job { name: jobKey } }
}`

const VERSIONS = 20
const MOST_IDS = 100

interface Version {
  number: number
  basedOn: { number: number } | null
  changes: { path: string }[]
}

interface Published extends Version {
  message: string | null
  publishedAt: string
  publishedBy: { displayName: string }
}

interface Draft extends Version {
  createdAt: string
  createdBy: { displayName: string }
}

interface Event {
  id: string
  action: string
  occurredAt: string
  actor: { displayName: string } | null
  fromVersionNumber: number | null
  toVersionNumber: number | null
  message: string | null
}

interface Page<T> {
  nodes: T[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
}

export interface JobHistory {
  draft: Draft | null
  currentVersion: { number: number }
  versions: Page<Published> & { totalCount: number }
  events: Page<Event>
}

/** Return this many pages of versions with the events of their time, or undefined if the member can't see the job. */
export async function loadHistory(jobKey: string, pages: number, signal: AbortSignal): Promise<JobHistory | null> {
  let job: JobHistory | null = null
  for (let page = 0; page < pages && (!job || job.versions.pageInfo.hasNextPage); page++) job = await next(jobKey, VERSIONS, job, signal)
  while (job?.events.pageInfo.hasNextPage && oldestEvent(job) > oldestVersion(job)) job = await next(jobKey, 0, job, signal)
  return job
}

const oldestVersion = ({ versions }: JobHistory) => (versions.pageInfo.hasNextPage ? (versions.nodes.at(-1)?.publishedAt ?? '') : '')
const oldestEvent = ({ events }: JobHistory) => events.nodes.at(-1)?.occurredAt ?? ''

async function next(jobKey: string, versions: number, before: JobHistory | null, signal: AbortSignal): Promise<JobHistory | null> {
  const cursors = { versionsAfter: before?.versions.pageInfo.endCursor, eventsAfter: before?.events.pageInfo.endCursor }
  const { jobByKey: job } = await ask<{ jobByKey: JobHistory | null }>(PAGE, { jobKey, versions, ...cursors }, { signal })
  if (!job || !before) return job
  const { pageInfo } = versions ? job.versions : before.versions
  return {
    ...job,
    versions: { ...job.versions, pageInfo, nodes: [...before.versions.nodes, ...job.versions.nodes] },
    events: { ...job.events, nodes: [...before.events.nodes, ...job.events.nodes] },
  }
}

export interface Change {
  path: string
  kind: 'ADDED' | 'CHANGED' | 'REMOVED'
  before: string | null
  after: string | null
}

interface Diff {
  jobByKey: { version: { changes: Change[] } | null } | null
}

/** Return the changes since the other version, with names instead of ids. */
export async function compare(jobKey: string, number: number, since: number | null, signal: AbortSignal): Promise<Change[]> {
  const { jobByKey: job } = await ask<Diff>(DIFF, { jobKey, number, since }, { signal })
  const changes = job?.version?.changes ?? []
  const names = await namesOf(changes.flatMap(({ before, after }) => [...idsIn(before), ...idsIn(after)]), signal)
  const named = (text: string | null) => text?.replace(ID, id => names.get(id) ?? id) ?? null
  return changes.map(change => ({ ...change, before: named(change.before), after: named(change.after) }))
}

const ID = /\b[A-Z0-9]{20}\b/g
const idsIn = (text: string | null) => text?.match(ID) ?? []

async function namesOf(all: string[], signal: AbortSignal) {
  const names = new Map<string, string>()
  const ids = [...new Set(all)]
  for (let start = 0; start < ids.length; start += MOST_IDS) {
    const some = { ids: ids.slice(start, start + MOST_IDS) }
    const { nodes } = await ask<{ nodes: ({ id: string; name?: string } | null)[] }>(NAMES, some, { signal })
    for (const node of nodes) if (node?.name) names.set(node.id, node.name)
  }
  return names
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

/** The rows, newest first: the draft, each version, and each activation of another version. */
export function moments(job: JobHistory): Moment[] {
  const { draft, versions, events } = job
  const published = versions.nodes.map(version => ({ ...entry('version', version, version.publishedAt), who: version.publishedBy.displayName, message: version.message }))
  const isListed = ({ occurredAt }: Event) => occurredAt >= oldestVersion(job) // older ones come with older versions
  const moved = events.nodes.filter(isListed).map(activation)
  const all = [...published, ...moved].sort((a, b) => b.at.localeCompare(a.at))
  return draft ? [{ ...entry('draft', draft, draft.createdAt), who: draft.createdBy.displayName, message: null }, ...all] : all
}

function entry(kind: 'draft' | 'version', { number, basedOn, changes }: Version, at: string) {
  return { kind, key: `${kind}-${number}`, at, number, from: basedOn?.number ?? null, changed: changes.length }
}

function activation(event: Event): Moment {
  const { id, occurredAt, actor, message, toVersionNumber, fromVersionNumber } = event
  return { kind: 'activation', key: id, at: occurredAt, who: actor?.name ?? 'Somebody', message, number: toVersionNumber ?? 0, from: fromVersionNumber, changed: 0 }
}
