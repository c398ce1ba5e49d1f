/** What Relay's React hooks do with the artifacts, done by hand: page through a list, refetch a node. */
import * as relay from 'relay-runtime'
import jobsQuery from './__generated__/jobsQuery.graphql'
import type { jobsQuery as JobsQuery } from './__generated__/jobsQuery.graphql'
import LIST, { type jobs_list$data, type jobs_list$key } from './__generated__/jobs_list.graphql'
import JOB, { type jobs_job$data, type jobs_job$key } from './__generated__/jobs_job.graphql'
import createDraft from './__generated__/jobsCreateDraftMutation.graphql'
import createVersion from './__generated__/jobsCreateVersionMutation.graphql'
import publishDraft from './__generated__/jobsPublishDraftMutation.graphql'
import rename from './__generated__/jobsRenameMutation.graphql'
import rollBack from './__generated__/jobsRollBackMutation.graphql'

const PAGE = 10
const { URL: url = '', TOKEN = '' } = process.env

const environment = new relay.Environment({
  network: relay.Network.create(async ({ text }, variables) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ query: text, variables }),
    })
    return response.json() as Promise<relay.GraphQLResponse>
  }),
  store: new relay.Store(new relay.RecordSource()),
})

void main()

async function main() {
  const query = (await relay.fetchQuery<JobsQuery>(environment, jobsQuery, {}).toPromise())!
  environment.retain(relay.createOperationDescriptor(jobsQuery, {}))
  const pages = await pageThrough(query)

  const first = connection(query).edges[0]!.node
  await mutate(rename, { jobId: first.id, name: 'Renamed elsewhere' }) // its answer leaves the store as it is
  const before = job(first).name
  await refetched(first.id)
  const keys = connection(query).edges.map(({ node }) => job(node).jobKey)
  const names = [before, job(first).name]
  const life = await published(connection(query).edges.at(-1)!.node)
  console.log(JSON.stringify({ pages, keys, names, life }))
}

/** Return what a watched fragment shows after each mutation. */
async function published(node: Node) {
  const selector = relay.getSingularSelector(JOB, node)!
  let shown = job(node)
  const { dispose } = environment.subscribe(environment.lookup(selector), ({ data }) => void (shown = data as jobs_job$data))
  const jobId = node.id
  const seen = [shown]
  await mutate(createDraft, { jobId, changes: { maxRetries: 7 } })
  seen.push(shown)
  await mutate(publishDraft, { jobId, message: 'Seen without store code' })
  seen.push(shown)
  await mutate(createVersion, { jobId, changes: { maxRetries: 8 }, message: 'In one step' })
  seen.push(shown)
  await mutate(rollBack, { jobId, number: seen[2]!.currentVersion.number })
  dispose()
  return [...seen, shown]
}

async function pageThrough(query: jobs_list$key) {
  const { paginationRequest, paginationMetadata } = relay.getPaginationMetadata(LIST, 'list')
  let pages = 1
  for (let info; (info = connection(query).pageInfo).hasNextPage; pages++) {
    const variables = relay.getPaginationVariables('forward', PAGE, info.endCursor, {}, {}, paginationMetadata)
    await relay.fetchQuery(environment, paginationRequest, variables).toPromise()
  }
  return pages
}

async function refetched(id: string) {
  const { refetchableRequest } = relay.getRefetchMetadata(JOB, 'job')
  await relay.fetchQuery(environment, refetchableRequest, { id }).toPromise()
}

const mutate = (mutation: relay.ConcreteRequest, input: object) =>
  new Promise((resolve, reject) =>
    relay.commitMutation(environment, { mutation, variables: { input }, onCompleted: resolve, onError: reject }),
  )

type Node = jobs_list$data['me']['jobs']['edges'][number]['node']
const connection = (query: jobs_list$key) => read<jobs_list$data>(LIST, query).me.jobs
const job = (node: jobs_job$key) => read<jobs_job$data>(JOB, node)

function read<Data>(fragment: relay.ReaderFragment, from: unknown): Data {
  const { data, isMissingData } = environment.lookup(relay.getSingularSelector(fragment, from)!)
  if (isMissingData) throw new Error(`${fragment.name} isn't whole in the store`)
  return data as Data
}
