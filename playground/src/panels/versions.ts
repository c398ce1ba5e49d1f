/** The queries of the version history, and its rows. */
import { ask } from '../api.ts'

/** Pages of published versions and of activations, the newest first. */
const PAGE = `query VersionHistory($jobKey: String!, $versions: Int!, $versionsAfter: String, $eventsAfter: String) {
  events(first: 1, sortDirection: DESC) { nodes { cursor } }
  jobByKey(jobKey: $jobKey) {
    id
    viewerPermissions
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
      changes(since: $since) { path label kind before { ...Value } after { ...Value } }
    }
  }
}
fragment Value on ConfigValue {
  ... on TextValue { text }
  ... on NumberValue { number }
  ... on NodeValue { text: key }
  ... on SecretValue { text: reference }
  ... on HiddenValue { isHidden }
}`

const VERSIONS = 20

interface Version {
  number: number
  basedOn: { number: number } | null
  changes: { path: string[] }[]
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
  id: string
  /** The cursor of the newest event of the feed when the job was read. */
  position: string | null
  viewerPermissions: string[]
  draft: Draft | null
  currentVersion: { number: number }
  versions: Page<Published> & { totalCount: number }
  events: Page<Event>
}

interface Read {
  events: { nodes: { cursor: string }[] }
  jobByKey: Omit<JobHistory, 'position'> | null
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
  const { events, jobByKey } = await ask<Read>(PAGE, { jobKey, versions, ...cursors }, { signal })
  const job = jobByKey && { ...jobByKey, position: before ? before.position : (events.nodes[0]?.cursor ?? null) }
  if (!job || !before) return job
  const { pageInfo } = versions ? job.versions : before.versions
  return {
    ...job,
    versions: { ...job.versions, pageInfo, nodes: [...before.versions.nodes, ...job.versions.nodes] },
    events: { ...job.events, nodes: [...before.events.nodes, ...job.events.nodes] },
  }
}

export interface Change {
  path: string[]
  label: string
  kind: 'ADDED' | 'CHANGED' | 'REMOVED'
  before: string | null
  after: string | null
}

type Value = { text: string } | { number: number } | { isHidden: true } | null

interface Diff {
  jobByKey: { version: { changes: (Omit<Change, 'before' | 'after'> & { before: Value; after: Value })[] } | null } | null
}

/** Return the changes since the other version, with texts as values. */
export async function compare(jobKey: string, number: number, since: number | null, signal: AbortSignal): Promise<Change[]> {
  const { jobByKey: job } = await ask<Diff>(DIFF, { jobKey, number, since }, { signal })
  const changes = job?.version?.changes ?? []
  return changes.map(change => ({ ...change, before: textOf(change.before), after: textOf(change.after) }))
}

function textOf(value: Value) {
  if (!value) return null
  if ('number' in value) return String(value.number)
  return 'text' in value ? value.text : 'hidden'
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
  return { kind: 'activation', key: id, at: occurredAt, who: actor?.displayName ?? 'Somebody', message, number: toVersionNumber ?? 0, from: fromVersionNumber, changed: 0 }
}
