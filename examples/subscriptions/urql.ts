/** Follow the feed with urql, over graphql-ws. */
import { Client, subscriptionExchange } from '@urql/core'
import { pipe, subscribe } from 'wonka'
import { type After, report } from './errors.ts'
import { connect, type Data, type Event, EVENTS, resuming } from './graphql-ws.ts'

export function follow(url: string, token: string, after: After, take: (event: Event) => void, fail = report): () => void {
  const socket = connect(url, token)
  const forward = subscriptionExchange({
    forwardSubscription: ({ query, variables }) => ({
      subscribe: sink => ({
        unsubscribe: resuming(socket, { query: query!, variables: variables ?? {} }, sink),
      }),
    }),
  })
  const client = new Client({ url, preferGetMethod: false, exchanges: [forward] })
  const { unsubscribe } = pipe(
    client.subscription<Data>(EVENTS, { after }),
    subscribe(({ data, error }) => (error ? fail(error) : data && take(data.events))),
  )
  return () => {
    unsubscribe()
    void socket.dispose()
  }
}
