/** Each client as its example shows it. */
import * as apollo from './subscriptions/apollo.ts'
import * as ws from './subscriptions/graphql-ws.ts'
import * as sse from './subscriptions/graphql-sse.ts'
import * as relay from './subscriptions/relay.ts'
import * as urql from './subscriptions/urql.ts'

const { URL: url = '', TOKEN = '' } = process.env
export const RENAME = 'mutation ($id: ID!, $name: String!) { updateJob(input: { jobId: $id, name: $name }) { userErrors { message } } }'
export type Follow = typeof ws.follow

export async function ask(query: string, variables = {}) {
  const headers = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })
  return ((await response.json()) as { data: any }).data
}

/** Follow the feed by Relay's network, without its store. */
const throughRelay: Follow = (url, token, after, take, fail) => {
  const { environment, socket } = relay.environmentOf(url, token)
  const params = { id: null, cacheID: 'events', text: ws.EVENTS, name: 'Events', operationKind: 'subscription', metadata: {} } as const
  const results = environment.getNetwork().execute(params, { after }, {})
  const subscription = results.subscribe({ next: result => take((result as unknown as { data: ws.Data }).data.events), error: fail })
  return () => {
    subscription.unsubscribe()
    void socket.dispose()
  }
}

export const FOLLOW: Record<string, Follow> = {
  ws: ws.follow,
  sse: sse.follow,
  urql: urql.follow,
  apollo: apollo.follow,
  relay: throughRelay,
}
