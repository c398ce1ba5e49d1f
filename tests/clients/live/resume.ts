/** Follow the feed through a proxy that cuts all connections, with each client as its example shows it. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { ask, FOLLOW, type Follow, RENAME } from './follow.ts'

const { URL: url = '', TOKEN = '' } = process.env
const target = new URL(url)
const open = new Set<Socket>()
let server: Server | undefined
let port = 0

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

async function resumed(follow: Follow) {
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

const found: Record<string, unknown> = {}
for (const [name, follow] of Object.entries(FOLLOW)) found[name] = await resumed(follow)
console.log(JSON.stringify(found))
process.exit()
