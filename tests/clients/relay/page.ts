/** What Relay's React hooks do with the artifacts, done by hand: page through a list, refetch a node. */
import * as relay from 'relay-runtime'
import jobsQuery from './__generated__/jobsQuery.graphql'
import type { jobsQuery as JobsQuery } from './__generated__/jobsQuery.graphql'
import LIST, { type jobs_list$data, type jobs_list$key } from './__generated__/jobs_list.graphql'
import JOB, { type jobs_job$data, type jobs_job$key } from './__generated__/jobs_job.graphql'
import rename, { type jobsRenameMutation } from './__generated__/jobsRenameMutation.graphql'

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
  await renamed(first.id)
  const before = job(first).name
  await refetched(first.id)
  const keys = connection(query).edges.map(({ node }) => job(node).jobKey)
  console.log(JSON.stringify({ pages, keys, names: [before, job(first).name] }))
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

/** By a mutation whose answer leaves the store as it is. */
const renamed = (jobId: string) =>
  new Promise((resolve, reject) =>
    relay.commitMutation<jobsRenameMutation>(environment, {
      mutation: rename,
      variables: { input: { jobId, name: 'Renamed elsewhere' } },
      onCompleted: resolve,
      onError: reject,
    }),
  )

const connection = (query: jobs_list$key) => read<jobs_list$data>(LIST, query).me.jobs
const job = (node: jobs_job$key) => read<jobs_job$data>(JOB, node)

function read<Data>(fragment: relay.ReaderFragment, from: unknown): Data {
  const { data, isMissingData } = environment.lookup(relay.getSingularSelector(fragment, from)!)
  if (isMissingData) throw new Error(`${fragment.name} isn't whole in the store`)
  return data as Data
}
