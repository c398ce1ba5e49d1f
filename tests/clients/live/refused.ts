/** Subscribe after an expired cursor, with a wrong one, and with a wrong token, with each client. */
import { ask, FOLLOW, type Follow, RENAME } from './follow.ts'

const { URL: url = '', TOKEN = '', EXPIRED = '' } = process.env
const warnings: string[] = []
console.warn = (text: string) => warnings.push(text)

/** Return why the subscription ended. */
async function failure(follow: Follow, token: string, after: string | null) {
  const ended = Promise.withResolvers<string>()
  const stop = follow(url, token, after, event => ended.reject(new Error(event.action)), error => ended.resolve(error.message))
  const message = await ended.promise
  stop()
  return message
}

/** Return the first event that is taken, and what the client says about the lost ones. */
async function goneOn(follow: Follow) {
  const { jobs } = await ask('{ jobs(first: 1) { nodes { id } } }')
  const taken: string[] = []
  const stop = follow(url, TOKEN, EXPIRED, event => taken.push(event.action))
  while (!taken.length) await ask(RENAME, { id: jobs.nodes[0].id, name: `again ${Math.random()}` })
  stop()
  return { taken: taken[0], warnings: warnings.splice(0) }
}

const found: Record<string, unknown> = {}
for (const [name, follow] of Object.entries(FOLLOW)) {
  found[name] = {
    wrongCursor: await failure(follow, TOKEN, 'nonsense'),
    wrongToken: await failure(follow, 'mst_wrong', null),
    expired: await goneOn(follow),
  }
}
console.log(JSON.stringify(found))
process.exit()
