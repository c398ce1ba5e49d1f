/** Read events with graphql-ws and graphql-sse, and resume after the cursor of the last one. */
import { createClient as createSse } from 'graphql-sse'
import { createClient as createSocket } from 'graphql-ws'
import { CREATE_DRAFT, PUBLISH_DRAFT } from '../jobs.ts'

const { URL: url = '', TOKEN } = process.env
const headers = { Authorization: `Bearer ${TOKEN}` }
const EVENTS = 'subscription Events($after: String) { events(after: $after) { action cursor } }'

interface Event {
  events: { action: string; cursor: string }
}

async function ask<T>(query: string, variables: object): Promise<T> {
  const body = JSON.stringify({ query, variables })
  const response = await fetch(url, { method: 'POST', body, headers: { ...headers, 'Content-Type': 'application/json' } })
  return ((await response.json()) as { data: T }).data
}

async function last(): Promise<string> {
  const { events } = await ask<{ events: { pageInfo: { endCursor: string } } }>('{ events(last: 1) { pageInfo { endCursor } } }', {})
  return events.pageInfo.endCursor
}

/** Take this many events after the cursor; ending the loop completes the subscription. */
async function take(client: { iterate: (payload: any) => AsyncIterable<any> }, after: string, count: number) {
  const taken: Event['events'][] = []
  for await (const { data } of client.iterate({ query: EVENTS, variables: { after } })) {
    taken.push((data as Event).events)
    if (taken.length === count) break
  }
  return taken
}

const socket = createSocket({ url: url.replace('http', 'ws'), connectionParams: headers })
const sse = createSse({ url, headers })

const begin = await last()
const { me } = await ask<{ me: { jobs: { nodes: { id: string }[] } } }>('{ me { jobs(first: 1, filter: { hasDraft: false }) { nodes { id } } } }', {})
const jobId = me.jobs.nodes[0]!.id
const live = take(socket, begin, 2)
await ask(CREATE_DRAFT, { jobId })
await ask(PUBLISH_DRAFT, { jobId })

const [drafted, published] = await live
const resumed = await take(socket, drafted!.cursor, 1)
const streamed = await take(sse, begin, 2)
const query = await socket.iterate({ query: '{ organization { name } }' }).next()
await socket.dispose()
sse.dispose()
console.log(JSON.stringify({ live: [drafted, published], resumed, streamed, query: query.value.data }))
