/** One job from its making to its end: every mutation of jobs and every refusal, with nothing but generated types. */
import assert from 'node:assert/strict'
import { accepted, answered, as, met, refused } from './client.ts'
import * as documents from './documents.ts'
import type { CreateJobInput } from './generated/graphql.ts'

const tokens = JSON.parse(process.env.TOKENS!) as Record<string, string>
const admin = as(tokens['admin@harbor.example']!)
const auditor = as(tokens['auditor@harbor.example']!)

const around = await admin(documents.SURROUNDINGS, {})
const named = (items: { id: string; name: string }[], name: string) => items.find(each => each.name === name)!.id
const [analytics, platform] = ['analytics', 'platform'].map(name => named(around.teams.nodes, name)) as [string, string]
const [running, dead] = ['prod-eu', 'legacy-eu'].map(name => named(around.clusters.nodes, name)) as [string, string]
const queryIds = around.savedQueries.nodes.map(each => each.id)

const input: CreateJobInput = {
  jobKey: 'typed-job',
  name: 'Typed job',
  teamIds: [analytics],
  config: { clusterId: running, source: { savedQueries: { queryIds } }, schedule: { cron: '0 4 * * *' } },
  idempotencyKey: 'typed-job-1',
}

const jobId = await create()
await update()
await draft()
await publish()
await goBack()
await clone()
await share()
await forbid()
await remove()
await rename()
console.log(JSON.stringify({ answered: [...answered], met: [...met] }))

async function create() {
  const { job } = accepted((await admin(documents.CREATE_JOB, { input })).createJob)
  assert.ok(job)
  const { source, schedule, number } = job.currentVersion
  assert.equal(number, 1)
  assert.equal(source.__typename, 'SavedQueriesSource')
  assert.deepEqual(source.queryIds, queryIds)
  assert.deepEqual(schedule, { cron: '0 4 * * *', timezone: 'UTC', concurrencyPolicy: 'SKIP' })
  assert.ok(new Date(job.createdAt) <= new Date(job.teams.edges[0]!.grantedAt))

  const again = await admin(documents.CREATE_JOB, { input })
  assert.equal(accepted(again.createJob).job?.id, job.id)

  const other = await admin(documents.CREATE_JOB, { input: { ...input, name: 'Other' } })
  refused(other.createJob, 'IdempotencyKeyReusedError', 'idempotencyKey')
  const { idempotencyKey, ...sameKey } = input
  const taken = await admin(documents.CREATE_JOB, { input: sameKey })
  assert.equal(refused(taken.createJob, 'JobKeyTakenError', 'jobKey').jobKey, 'typed-job')
  await createWrongly()
  return job.id
}

async function createWrongly() {
  const config = { clusterId: dead, source: { savedQueries: { queryIds: ['SQ0'] } }, maxRetries: 11 }
  const wrong = { jobKey: 'Not A Key', name: '', teamIds: ['TM0'], config }
  const { createJob } = await admin(documents.CREATE_JOB, { input: wrong })
  assert.equal(createJob.job, null)
  assert.ok(new RegExp(refused(createJob, 'InvalidError', 'jobKey').pattern!).test('a-key'))
  assert.equal(refused(createJob, 'InvalidError', 'name').minimum, 1)
  assert.equal(refused(createJob, 'InvalidError', 'config', 'maxRetries').maximum, 10)
  refused(createJob, 'TeamNotFoundError', 'teamIds', '0')
  refused(createJob, 'SavedQueryNotFoundError', 'config', 'source', 'savedQueries', 'queryIds', '0')
  const inactive = refused(createJob, 'ClusterNotActiveError', 'config', 'clusterId')
  assert.deepEqual(inactive.cluster, { name: 'legacy-eu', status: 'DESTROYED' })
}

async function update() {
  const changed = await admin(documents.UPDATE_JOB, { input: { jobId, description: 'Soon', status: 'PAUSED', message: 'Rest' } })
  assert.deepEqual(accepted(changed.updateJob).job, { name: 'Typed job', description: 'Soon', status: 'PAUSED', revision: 2 })
  const cleared = await admin(documents.UPDATE_JOB, { input: { jobId, description: null } })
  assert.deepEqual(accepted(cleared.updateJob).job, { name: 'Typed job', description: null, status: 'PAUSED', revision: 3 })

  const late = await admin(documents.UPDATE_JOB, { input: { jobId, name: 'Late', expectedJobRevision: 1 } })
  const { expected, actual } = refused(late.updateJob, 'StaleRevisionError', 'expectedJobRevision')
  assert.deepEqual([expected, actual], [1, 3])
}

async function draft() {
  const begun = await admin(documents.CREATE_DRAFT, { input: { jobId, changes: { maxRetries: 1 } } })
  const revision = accepted(begun.createDraft).draft?.revision
  assert.deepEqual(accepted(begun.createDraft).draft, { number: 2, status: 'DRAFT', revision, basedOn: { number: 1 } })
  const second = await admin(documents.CREATE_DRAFT, { input: { jobId } })
  assert.deepEqual(refused(second.createDraft, 'DraftExistsError', 'jobId').draft, { number: 2 })

  const changes = { maxRetries: 3, schedule: null }
  const { updateDraft } = await admin(documents.UPDATE_DRAFT, { input: { jobId, changes, expectedDraftRevision: revision } })
  const edited = accepted(updateDraft).draft
  assert.equal(edited?.schedule, null)
  const retries = edited?.changes.find(each => each.path.join('.') === 'maxRetries')
  assert.deepEqual(retries, {
    path: ['maxRetries'],
    kind: 'CHANGED',
    before: { __typename: 'NumberValue', number: 0 },
    after: { __typename: 'NumberValue', number: 3 },
  })

  const nowhere = await admin(documents.UPDATE_DRAFT, { input: { jobId, changes: { clusterId: 'CL0' } } })
  refused(nowhere.updateDraft, 'ClusterNotFoundError', 'changes', 'clusterId')
}

async function publish() {
  const early = await admin(documents.ACTIVATE_VERSION, { input: { jobId, number: 2 } })
  assert.equal(refused(early.activateVersion, 'VersionNotPublishedError', 'number').number, 2)
  await publishInACircle()
  const forbidden = await auditor(documents.PUBLISH_DRAFT, { input: { jobId } })
  assert.equal(refused(forbidden.publishDraft, 'ForbiddenError', 'jobId').missingPermission, 'EDIT')

  const { publishDraft } = await admin(documents.PUBLISH_DRAFT, { input: { jobId, message: 'By hand from now on' } })
  const { version, job } = accepted(publishDraft)
  assert.ok(version?.publishedAt)
  assert.deepEqual([version.number, job?.currentVersion.number, version.message], [2, 2, 'By hand from now on'])
  assert.equal(version.publishedBy?.displayName, around.me.actor.displayName)
  assert.equal(job?.draft, null)

  const twice = await admin(documents.PUBLISH_DRAFT, { input: { jobId } })
  refused(twice.publishDraft, 'DraftNotFoundError', 'jobId')
}

async function publishInACircle() {
  const waiting: CreateJobInput = {
    jobKey: 'waits-for-typed-job',
    name: 'Waits for it',
    teamIds: [analytics],
    config: { clusterId: running, source: { sqlSnapshot: { sql: 'SELECT 1' } }, dependencies: [{ jobId }] },
  }
  const { job } = accepted((await admin(documents.CREATE_JOB, { input: waiting })).createJob)
  assert.ok(job)
  const depend = (dependencies: { jobId: string }[] | null) =>
    admin(documents.UPDATE_DRAFT, { input: { jobId, changes: { dependencies } } })
  const itself = await depend([{ jobId }])
  refused(itself.updateDraft, 'DependencyOnItselfError', 'changes', 'dependencies', '0', 'jobId')
  const changes = { removeDependencyIds: ['JD0'] }
  const { updateDraft } = await admin(documents.UPDATE_DRAFT, { input: { jobId, changes } })
  const unknown = refused(updateDraft, 'DependencyNotFoundError', 'changes', 'removeDependencyIds', '0')
  assert.equal(unknown.dependencyId, null)
  accepted((await depend([{ jobId: job.id }])).updateDraft)
  const { publishDraft } = await admin(documents.PUBLISH_DRAFT, { input: { jobId } })
  const { cycle } = refused(publishDraft, 'DependencyCycleError', 'jobId')
  assert.deepEqual(cycle, [jobId, job.id, jobId].map(id => ({ id })))
  accepted((await depend(null)).updateDraft)
}

async function goBack() {
  const made = await admin(documents.CREATE_VERSION, { input: { jobId, changes: { timeoutSeconds: 60 } } })
  assert.deepEqual(accepted(made.createVersion).version, { number: 3, timeoutSeconds: 60 })
  const back = await admin(documents.ACTIVATE_VERSION, { input: { jobId, number: 1 } })
  assert.deepEqual(accepted(back.activateVersion).job, { currentVersion: { number: 1 }, versions: { totalCount: 3 } })
  const beyond = await admin(documents.ACTIVATE_VERSION, { input: { jobId, number: 99 } })
  assert.equal(refused(beyond.activateVersion, 'VersionNotFoundError', 'number').number, 99)

  accepted((await admin(documents.CREATE_DRAFT, { input: { jobId } })).createDraft)
  const given = await admin(documents.DISCARD_DRAFT, { input: { jobId } })
  assert.equal(accepted(given.discardDraft).discardedNumber, 4)
}

/** What is read is typed as what is sent. */
async function clone() {
  const copy = { jobId, jobKey: 'typed-clone', name: 'Clone', teamIds: [analytics] }
  const { job } = accepted((await admin(documents.CLONE_JOB, { input: copy })).cloneJob)
  const again: CreateJobInput = { ...copy, jobKey: 'typed-again', config: job!.currentVersion.input }
  const { jobId: _, ...input } = again as CreateJobInput & { jobId: string }
  const made = accepted((await admin(documents.CREATE_JOB, { input })).createJob).job
  for (const each of [job, made]) accepted((await admin(documents.DELETE_JOB, { input: { jobId: each!.id } })).deleteJob)
}

async function share() {
  const names = (job: { teams: { nodes: { name: string }[] } } | null) => job?.teams.nodes.map(each => each.name)
  const added = await admin(documents.ADD_TEAMS, { input: { jobId, teamIds: [platform] } })
  assert.deepEqual(names(accepted(added.addTeamsToJob).job), ['analytics', 'platform'])
  const removed = await admin(documents.REMOVE_TEAM, { input: { jobId, teamId: analytics } })
  assert.deepEqual(names(accepted(removed.removeTeamFromJob).job), ['platform'])
  const last = await admin(documents.REMOVE_TEAM, { input: { jobId, teamId: platform } })
  refused(last.removeTeamFromJob, 'TeamRequiredError', 'teamId')
}

async function remove() {
  const { deleteJob } = await admin(documents.DELETE_JOB, { input: { jobId } })
  const { dependents, hiddenCount } = refused(deleteJob, 'JobHasDependentsError', 'jobId')
  assert.deepEqual([dependents, hiddenCount], [[{ jobKey: 'waits-for-typed-job' }], 0])
  const gone = await admin(documents.DELETE_JOB, { input: { jobId, force: true } })
  const { deletedJobId, cancelledRuns } = accepted(gone.deleteJob)
  assert.deepEqual([deletedJobId, cancelledRuns], [jobId, []])
  const twice = await admin(documents.DELETE_JOB, { input: { jobId } })
  refused(twice.deleteJob, 'JobNotFoundError', 'jobId')
}

async function forbid() {
  const denied = await auditor(documents.UPDATE_JOB, { input: { jobId, name: 'Other' } })
  refused(denied.updateJob, 'ForbiddenError', 'jobId')
}

async function rename() {
  const input = { name: 'Typed harbor', dryRun: true }
  const renamed = await admin(documents.UPDATE_ORGANIZATION, { input })
  assert.deepEqual(accepted(renamed.updateOrganization).organization, { name: 'Typed harbor' })
  refused((await auditor(documents.UPDATE_ORGANIZATION, { input })).updateOrganization, 'ScopeMissingError')
}
