/** Follow the feed with urql, over graphql-ws. */
import { Client, subscriptionExchange } from '@urql/core'
import { pipe, subscribe } from 'wonka'
import { connect, type Data, type Event, EVENTS, resuming } from './graphql-ws.ts'

export function follow(url: string, token: string, after: string, take: (event: Event) => void): () => void {
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
    subscribe(({ data }) => data && take(data.events)),
  )
  return () => {
    unsubscribe()
    void socket.dispose()
  }
}
