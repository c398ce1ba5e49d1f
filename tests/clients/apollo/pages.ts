/** Page through my jobs with Apollo Client, and see a publication arrive in the list by the cache alone. */
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache, type TypedDocumentNode } from '@apollo/client'
import { relayStylePagination } from '@apollo/client/utilities'
import { filter, firstValueFrom, map } from 'rxjs'
import {
  CREATE_DRAFT,
  CREATE_VERSION,
  type Job,
  jobsOf,
  MY_JOBS,
  type MyJobs,
  type Page,
  PUBLISH_DRAFT,
  ROLL_BACK,
  VERSION,
  WHO_AM_I,
} from '../jobs.ts'

const { URL: uri = '', TOKEN } = process.env
const PAGE = 10

let requests = 0
const counted = new ApolloLink((operation, forward) => {
  requests++
  return forward(operation)
})
const client = new ApolloClient({
  link: counted.concat(new HttpLink({ uri, headers: { Authorization: `Bearer ${TOKEN}` } })),
  cache: new InMemoryCache({
    typePolicies: { Viewer: { fields: { jobs: relayStylePagination(['sortBy', 'sortDirection', 'filter']) } } },
  }),
})

await client.query({ query: gql(WHO_AM_I) })
const query: TypedDocumentNode<MyJobs, Page> = gql(MY_JOBS)
let { me } = (await client.query({ query, variables: { first: PAGE } })).data!
const list = client.watchQuery({ query, variables: { first: PAGE } })
list.subscribe(() => undefined) // as a component that is on the screen

let pages = 1
for (; me.jobs.pageInfo.hasNextPage; pages++) {
  const { endCursor: after } = me.jobs.pageInfo
  me = (await list.fetchMore({ variables: { after } })).data!.me
}

const { id: jobId } = jobsOf({ me }).at(-1)!
const last = await shown(job => job.id === jobId)
await client.mutate({ mutation: gql(CREATE_DRAFT), variables: { jobId } })
const drafted = await shown(job => job.draft !== null)
await client.mutate({ mutation: gql(PUBLISH_DRAFT), variables: { jobId } })
const published = await shown(job => job.draft === null)
const { number } = published!.currentVersion
await client.mutate({ mutation: gql(CREATE_VERSION), variables: { jobId } })
const versioned = await shown(job => job.currentVersion.number > number)
await client.mutate({ mutation: gql(ROLL_BACK), variables: { jobId, number } })
const back = await shown(job => job.currentVersion.number === number)
await client.query({ query: gql(VERSION), variables: { id: jobId } })

const keys = jobsOf(list.getCurrentResult().data as MyJobs).map(job => job.jobKey)
const { data: who } = await client.query({ query: gql(WHO_AM_I), fetchPolicy: 'cache-only' })
client.stop()
console.log(JSON.stringify({ pages, requests, keys, life: [last, drafted, published, versioned, back], who }))

/** Wait until the last job of the watched list is like that. */
function shown(isIt: (job: Job) => boolean) {
  const lasts = list.pipe(map(({ data }) => jobsOf(data as MyJobs | undefined).at(-1)))
  return firstValueFrom(lasts.pipe(filter(job => job !== undefined && isIt(job))))
}
