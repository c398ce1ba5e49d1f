/** Relay's network with subscriptions, over graphql-ws. */
import { Environment, Network, Observable, RecordSource, Store } from 'relay-runtime'
import { connect, resuming } from './graphql-ws.ts'

export function environmentOf(url: string, token: string) {
  const socket = connect(url, token)
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const network = Network.create(
    async ({ text }, variables) =>
      (await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query: text, variables }) })).json(),
    ({ text }, variables) =>
      Observable.create(sink => resuming(socket, { query: text!, variables }, sink)),
  )
  return { environment: new Environment({ network, store: new Store(new RecordSource()) }), socket }
}
