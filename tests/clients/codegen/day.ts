/** A frontend's day: what is read is sent back without any mapping between the two. */
import assert from 'node:assert/strict'
import { accepted, as, refused } from './client.ts'
import { APPLY, DETAILS, EDIT, EXPORT, PAUSE, ROW, TABLE } from './day-documents.ts'
import { ACTIVATE_VERSION, CREATE_DRAFT, PUBLISH_DRAFT } from './documents.ts'
import type { ExportQuery, JobDocumentInput, JobFilter } from './generated/graphql.ts'
import { unmasked } from './generated/index.ts'

const tokens = JSON.parse(process.env.TOKENS!) as Record<string, string>
const ada = as(tokens['admin@harbor.example']!)
const mireille = as(tokens['team-admin@harbor.example']!)

const TAG = 'of-fifty'
const ID = await filteredTable()
await details()
await twoEditors()
await rollBackOverADraft()
await pauseFifty()
await exportAndApply()
console.log(JSON.stringify({ paused: await pausedKeys() }))

/** Choose a team among the facets, then one of its jobs. */
async function filteredTable() {
  const { jobs } = await mireille(TABLE, { first: 10 })
  const team = jobs.facets.teams.find(each => each.node.name === 'data-eng')!
  const status = jobs.facets.statuses.find(each => each.value === 'ACTIVE')!
  assert.ok(status.count <= jobs.totalCount)
  const filter: JobFilter = { teamIds: [team.node.id], statuses: [status.value], hasDraft: false, hasSchedule: true }
  const rows = await everyRow(filter)
  assert.ok(rows.length > 0 && rows.length <= team.count)
  return rows.find(each => each.viewerPermissions.includes('EDIT'))!.id
}

async function everyRow(filter: JobFilter) {
  const rows = []
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<typeof table>> = await table(filter, after)
    rows.push(...unmasked(ROW, page.nodes))
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
  } while (after)
  return rows
}

async function table(filter: JobFilter, after: string | null) {
  return (await ada(TABLE, { filter, first: 20, after })).jobs
}

async function shown() {
  const { job } = await mireille(DETAILS, { id: ID })
  assert.ok(job)
  return job
}

async function details() {
  const job = await shown()
  const times = job.currentVersion.schedule!.nextFireTimes.map(each => new Date(each).getTime())
  assert.deepEqual(times, times.toSorted((one, other) => one - other))
  assert.ok(job.currentVersion.schedule!.description)
  assert.equal(job.versions.nodes.at(-1)?.number, job.currentVersion.number)
  assert.ok(job.events.nodes.every(each => each.actor?.displayName))
}

/** Ada and Mireille open the same draft. Who saves second is told, reads again and saves on top. */
async function twoEditors() {
  accepted((await ada(CREATE_DRAFT, { input: { jobId: ID } })).createDraft)
  const { draft } = await shown()
  const { input, revision: expectedDraftRevision } = draft!

  const first = await ada(EDIT, { input: { jobId: ID, changes: { ...input, maxRetries: 4 }, expectedDraftRevision } })
  assert.equal(accepted(first.updateDraft).draft?.input.maxRetries, 4)
  const changes = { ...input, timeoutSeconds: 90 }
  const late = await mireille(EDIT, { input: { jobId: ID, changes, expectedDraftRevision } })
  const { actual } = refused(late.updateDraft, 'StaleRevisionError', 'expectedDraftRevision')

  const again = await shown()
  assert.deepEqual([again.draft?.revision, again.draft?.updatedBy.displayName], [actual, 'Ada Lindqvist'])
  const onTop = { ...again.draft!.input, timeoutSeconds: 90 }
  const saved = await mireille(EDIT, { input: { jobId: ID, changes: onTop, expectedDraftRevision: actual } })
  const { maxRetries, timeoutSeconds } = accepted(saved.updateDraft).draft!.input
  assert.deepEqual([maxRetries, timeoutSeconds], [4, 90])
  assert.deepEqual((await shown()).draft?.changes.length, 2)
  accepted((await mireille(PUBLISH_DRAFT, { input: { jobId: ID, message: 'Both edits' } })).publishDraft)
}

/** The new version is bad, and Ada has begun another draft meanwhile. */
async function rollBackOverADraft() {
  const job = await shown()
  const { number, input: good } = job.versions.nodes.at(-2)!
  accepted((await ada(CREATE_DRAFT, { input: { jobId: ID } })).createDraft)
  const blocked = await mireille(ACTIVATE_VERSION, { input: { jobId: ID, number } })
  assert.ok(refused(blocked.activateVersion, 'DraftExistsError', 'jobId').draft)
  const { revision: expectedDraftRevision } = (await shown()).draft!
  const input = { jobId: ID, number, discardDraft: true, expectedDraftRevision }
  const back = await mireille(ACTIVATE_VERSION, { input })
  assert.equal(accepted(back.activateVersion).job?.currentVersion.number, number)
  const { draft, currentVersion } = await shown()
  assert.deepEqual([draft, currentVersion.input], [null, good])
}

/** Make fifty jobs by documents, find them by their tag, and pause what the table shows. */
async function pauseFifty() {
  const jobs = Array.from({ length: 50 }, (_, number) => document(number))
  const dry = accepted((await ada(APPLY, { input: { jobs, dryRun: true } })).applyJobs)
  const made = accepted((await ada(APPLY, { input: { jobs } })).applyJobs)
  assert.deepEqual(made.results.map(each => each.outcome), dry.results.map(each => each.outcome))

  const rows = await everyRow({ tagsAnyOf: [TAG] })
  const [first, ...others] = rows.map(each => ({ jobId: each.id, expectedJobRevision: each.revision, status: 'PAUSED' as const }))
  const late = { ...first!, expectedJobRevision: 99 }
  const { updateJobs } = await ada(PAUSE, { input: { jobs: [late, ...others] } })
  const [refusal, ...paused] = accepted(updateJobs).results
  assert.equal(refused(refusal!, 'StaleRevisionError', 'jobs', '0', 'expectedJobRevision').actual, first!.expectedJobRevision)
  assert.deepEqual(new Set(paused.map(each => unmasked(ROW, accepted(each).job)?.status)), new Set(['PAUSED']))
  accepted(accepted((await ada(PAUSE, { input: { jobs: [first!] } })).updateJobs).results[0]!)
}

/** Export all jobs, change some, and apply them. */
async function exportAndApply() {
  const jobs = await everyDocument({ teamIds: (await shown()).teams.nodes.map(each => each.id) })
  assert.ok(jobs.length > 50)
  const changed = jobs.map(each => (each.tags?.includes(TAG) ? { ...each, config: { ...each.config, maxRetries: 1 } } : each))
  const outcomes = []
  for (const each of [jobs, changed, changed]) outcomes.push(await applied(each))
  assert.deepEqual(outcomes[0], { UNCHANGED: jobs.length })
  assert.deepEqual(outcomes[1], { UNCHANGED: jobs.length - 50, CHANGED: 50 })
  assert.deepEqual(outcomes[2], outcomes[0])
}

async function everyDocument(filter: JobFilter) {
  const found: JobDocumentInput[] = []
  let after: string | null = null
  do {
    const { jobs }: ExportQuery = await ada(EXPORT, { filter, after })
    found.push(...jobs.nodes.map(each => each.document))
    after = jobs.pageInfo.hasNextPage ? jobs.pageInfo.endCursor : null
  } while (after)
  return found
}

/** Count the outcomes of all batches. */
async function applied(jobs: JobDocumentInput[]) {
  const counts: Record<string, number> = {}
  for (let start = 0; start < jobs.length; start += 100) {
    const input = { jobs: jobs.slice(start, start + 100), mode: 'EACH' as const }
    for (const { outcome } of accepted((await ada(APPLY, { input })).applyJobs).results) counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
}

function document(number: number): JobDocumentInput {
  const source = { sqlSnapshot: { sql: `SELECT ${number}` } }
  return { jobKey: `fifty-${number}`, name: `${number} of fifty`, tags: [TAG], teams: ['data-eng'], config: { cluster: 'prod-eu', source } }
}

async function pausedKeys() {
  const rows = await everyRow({ tagsAnyOf: [TAG], statuses: ['PAUSED'] })
  return rows.map(each => each.jobKey).toSorted()
}
