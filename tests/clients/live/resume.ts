/** Follow the feed through a proxy that cuts all connections, with each client as its example shows it. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import * as apollo from './subscriptions/apollo.ts'
import * as ws from './subscriptions/graphql-ws.ts'
import * as sse from './subscriptions/graphql-sse.ts'
import * as relay from './subscriptions/relay.ts'
import * as urql from './subscriptions/urql.ts'

const { URL: url = '', TOKEN = '' } = process.env
const target = new URL(url)
const RENAME = 'mutation ($id: ID!, $name: String!) { updateJob(input: { jobId: $id, name: $name }) { userErrors { message } } }'
const open = new Set<Socket>()
let server: Server | undefined
let port = 0

async function ask(query: string, variables = {}) {
  const headers = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })
  return ((await response.json()) as { data: any }).data
}

/** Forward connections, on the same port as before. */
async function forward() {
  server = createServer(near => {
    const far = connect(Number(target.port), target.hostname)
    for (const each of [near, far]) {
      open.add(each)
      each.on('error', () => each.destroy())
      each.on('close', () => [near, far].forEach(other => other.destroy()))
    }
    near.pipe(far)
    far.pipe(near)
  })
  await new Promise<void>(done => server!.listen(port, '127.0.0.1', done))
  port = (server.address() as AddressInfo).port
}

/** Cut all connections, and refuse new ones. */
async function cut() {
  const closed = new Promise(done => server!.close(done))
  open.forEach(each => each.destroy())
  await closed
}

async function resumed(follow: typeof ws.follow) {
  await forward()
  const { events, jobs } = await ask('{ events(last: 1) { pageInfo { endCursor } } jobs(first: 1) { nodes { id } } }')
  const id = jobs.nodes[0].id
  const taken: string[] = []
  let wake = () => {}
  const stop = follow(`http://127.0.0.1:${port}/graphql`, TOKEN, events.pageInfo.endCursor, event => {
    taken.push(event.id)
    wake()
  })
  const until = async (count: number) => {
    while (taken.length < count) await new Promise<void>(done => (wake = done))
  }
  const rename = async (name: string) => ask(RENAME, { id, name: `${name} ${Math.random()}` })
  await rename('one')
  await until(1)
  for (const round of [1, 2]) {
    await cut()
    await rename('while it is cut off')
    await rename('again')
    await forward()
    await until(1 + 3 * round - 1)
    await rename('live')
    await until(1 + 3 * round)
  }
  stop()
  await cut()
  const { events: all } = await ask('query ($after: String!) { events(after: $after) { nodes { id } } }', { after: events.pageInfo.endCursor })
  return { taken, all: all.nodes.map((each: { id: string }) => each.id) }
}

/** Follow the feed by Relay's network, without its store. */
const throughRelay: typeof ws.follow = (url, token, after, take) => {
  const { environment, socket } = relay.environmentOf(url, token)
  const params = { id: null, cacheID: 'events', text: ws.EVENTS, name: 'Events', operationKind: 'subscription', metadata: {} } as const
  const results = environment.getNetwork().execute(params, { after }, {})
  const subscription = results.subscribe({ next: result => take((result as unknown as { data: ws.Data }).data.events) })
  return () => {
    subscription.unsubscribe()
    void socket.dispose()
  }
}

const found: Record<string, unknown> = {}
for (const [name, { follow }] of Object.entries({ ws, sse, urql, apollo, relay: { follow: throughRelay } })) found[name] = await resumed(follow)
console.log(JSON.stringify(found))
process.exit()
