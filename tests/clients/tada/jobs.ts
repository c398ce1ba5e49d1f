/** Page through my jobs, copy one, and meet a typed error, with types that gql.tada infers from the documents. */
import assert from 'node:assert/strict'
import { type FragmentOf, initGraphQLTada, readFragment, type ResultOf, type TadaDocumentNode, type VariablesOf } from 'gql.tada'
import { print } from 'graphql'
import type { introspection } from './schema.d.ts'

type JobConfig = NonNullable<VariablesOf<typeof COPY>['input']['config']>

const graphql = initGraphQLTada<{ introspection: introspection; scalars: { DateTime: string } }>()

const JOB = graphql(`
  fragment Job on Job {
    id
    jobKey
    revision
    status
    createdAt
    teams { nodes { id } }
    currentVersion { input source { __typename ... on SqlSnapshotSource { sql } ... on SavedQueriesSource { queryIds } } }
  }
`)

const PAGE = graphql(
  `
    query Page($first: Int!, $after: String) {
      me { jobs(first: $first, after: $after, sortBy: JOB_KEY) { pageInfo { hasNextPage endCursor } nodes { ...Job } } }
    }
  `,
  [JOB],
)

const COPY = graphql(`
  mutation Copy($input: CreateJobInput!) {
    createJob(input: $input) { job { currentVersion { number } } userErrors { message } }
  }
`)

const RENAME = graphql(`
  mutation Rename($input: UpdateJobInput!) {
    updateJob(input: $input) {
      job { name }
      userErrors { __typename message ... on StaleRevisionError { expected actual } ... on InvalidError { maximum } }
    }
  }
`)

async function send<Result, Variables>(document: TadaDocumentNode<Result, Variables>, variables: Variables) {
  const response = await fetch(process.env.URL!, {
    method: 'POST',
    headers: { Authorization: `Bearer ${process.env.TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ query: print(document), variables }),
  })
  const { data, errors } = (await response.json()) as { data: Result; errors?: unknown }
  assert.equal(errors, undefined)
  return data
}

const jobs: FragmentOf<typeof JOB>[] = []
let after: string | null = null
do {
  const { me }: ResultOf<typeof PAGE> = await send(PAGE, { first: 10, after })
  jobs.push(...me.jobs.nodes)
  after = me.jobs.pageInfo.hasNextPage ? me.jobs.pageInfo.endCursor : null
} while (after)

const read = readFragment(JOB, jobs)
const job = read.find(each => each.currentVersion.source.__typename === 'SqlSnapshotSource')!
const status: 'ACTIVE' | 'PAUSED' = job.status
const teamIds = job.teams.nodes.map(each => each.id)
const input = { jobKey: 'inferred', name: 'Inferred', teamIds, config: job.currentVersion.input as JobConfig, dryRun: true }
const { createJob } = await send(COPY, { input })
assert.deepEqual(createJob.userErrors, [])

const { updateJob } = await send(RENAME, { input: { jobId: job.id, name: 'Late', expectedJobRevision: job.revision + 1 } })
const [error] = updateJob.userErrors
const stale = error?.__typename === 'StaleRevisionError' ? [error.expected - error.actual, updateJob.job?.name === 'Late'] : null
console.log(JSON.stringify({ keys: read.map(each => each.jobKey), status, copied: createJob.job?.currentVersion, stale }))
