/** Page through the jobs of a team by `nodes`, with the policy that docs/clients.md shows. */
import { ApolloClient, gql, HttpLink, InMemoryCache, type TypedDocumentNode } from '@apollo/client'
import type { Page, PageInfo } from '../jobs.ts'
import { nodesPagination } from './nodes-pagination.ts'

interface Jobs {
  jobs: { nodes: { id: string; jobKey: string; tags: string[] }[]; pageInfo: PageInfo }
}

const JOBS: TypedDocumentNode<Jobs, Page & { filter: object }> = gql`
  query Jobs($first: Int!, $after: String, $filter: JobFilter) {
    jobs(first: $first, after: $after, filter: $filter, sortBy: JOB_KEY) {
      nodes { id jobKey tags }
      pageInfo { hasNextPage endCursor }
    }
  }
`
const TAG = gql`
  mutation Tag($id: ID!) {
    updateJob(input: { jobId: $id, tags: ["tagged"] }) { job { id tags } }
  }
`
const { URL: uri = '', TOKEN } = process.env
const client = new ApolloClient({
  link: new HttpLink({ uri, headers: { Authorization: `Bearer ${TOKEN}` } }),
  cache: new InMemoryCache({
    typePolicies: { Query: { fields: { jobs: nodesPagination(['sortBy', 'sortDirection', 'filter']) } } },
  }),
})

const keysOf = (nodes: Jobs['jobs']['nodes']) => nodes.map(each => each.jobKey)

async function everyPage(filter: object) {
  let { jobs } = (await client.query({ query: JOBS, variables: { first: 10, filter } })).data!
  const list = client.watchQuery({ query: JOBS, variables: { first: 10, filter } })
  list.subscribe(() => undefined) // as a component that is on the screen
  while (jobs.pageInfo.hasNextPage) {
    jobs = (await list.fetchMore({ variables: { after: jobs.pageInfo.endCursor } })).data!.jobs
  }
  return () => (list.getCurrentResult().data as Jobs).jobs.nodes
}

const all = await everyPage({})
const active = await everyPage({ statuses: ['ACTIVE'] })
const [first] = active()
await client.mutate({ mutation: TAG, variables: { id: first!.id } })
const tagged = [all(), active()].map(nodes => nodes.find(({ id }) => id === first!.id)!.tags)
const keys = keysOf(all())
const again = { query: JOBS, variables: { first: 10, filter: {} } }
await client.query({ ...again, fetchPolicy: 'network-only' })
const { data: anew } = await client.query({ ...again, fetchPolicy: 'cache-only' })
client.stop()
console.log(JSON.stringify({ keys, active: keysOf(active()), tagged, anew: keysOf(anew!.jobs.nodes) }))
