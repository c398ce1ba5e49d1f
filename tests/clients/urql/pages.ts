/** Page through my jobs with urql, and see a publication arrive in the list by the cache alone. */
import { Client, fetchExchange, mapExchange } from '@urql/core'
import { cacheExchange } from '@urql/exchange-graphcache'
import { relayPagination } from '@urql/exchange-graphcache/extras'
import { filter, map, pipe, take, toPromise } from 'wonka'
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

const { URL: url = '', TOKEN } = process.env
const PAGE = 10

// Objects without an id are parts of the object around them. Graphcache warns about each type that isn't listed.
const parts = ['Compute', 'ConfigChange', 'EnvironmentVariable', 'JobSchedule']
const keyless = Object.fromEntries(parts.map(name => [name, () => null]))

let requests = 0
const client = new Client({
  url,
  preferGetMethod: false,
  fetchOptions: { headers: { Authorization: `Bearer ${TOKEN}` } },
  exchanges: [
    cacheExchange({ keys: keyless, resolvers: { Viewer: { jobs: relayPagination() } } }),
    mapExchange({ onOperation: ({ kind }) => void (requests += kind === 'teardown' ? 0 : 1) }),
    fetchExchange,
  ],
})

await client.query(WHO_AM_I, {})
let { me } = (await client.query<MyJobs, Page>(MY_JOBS, { first: PAGE })).data!
const list = client.query<MyJobs, Page>(MY_JOBS, { first: PAGE })
const { unsubscribe } = list.subscribe(() => undefined) // as a component that is on the screen

let pages = 1
for (; me.jobs.pageInfo.hasNextPage; pages++) {
  const { endCursor: after } = me.jobs.pageInfo
  me = (await client.query<MyJobs, Page>(MY_JOBS, { first: PAGE, after })).data!.me
}

const { id: jobId } = jobsOf({ me }).at(-1)!
const last = await shown(job => job.id === jobId)
await client.mutation(CREATE_DRAFT, { jobId })
const drafted = await shown(job => job.draft !== null)
await client.mutation(PUBLISH_DRAFT, { jobId })
const published = await shown(job => job.draft === null)
const { number } = published!.currentVersion
await client.mutation(CREATE_VERSION, { jobId })
const versioned = await shown(job => job.currentVersion.number > number)
await client.mutation(ROLL_BACK, { jobId, number })
const back = await shown(job => job.currentVersion.number === number)
await client.query(VERSION, { id: jobId })

const keys = jobsOf((await list).data).map(job => job.jobKey)
const { data: who } = await client.query(WHO_AM_I, {}, { requestPolicy: 'cache-only' })
unsubscribe()
console.log(JSON.stringify({ pages, requests, keys, life: [last, drafted, published, versioned, back], who }))

/** Wait until the last job of the watched list is like that. */
function shown(isIt: (job: Job) => boolean) {
  const lasts = pipe(list, map(({ data }) => jobsOf(data).at(-1)))
  return pipe(lasts, filter(job => job !== undefined && isIt(job)), take(1), toPromise)
}
