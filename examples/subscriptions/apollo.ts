/** Follow the feed with Apollo Client, over graphql-ws. */
import { ApolloClient, ApolloLink, gql, InMemoryCache } from '@apollo/client'
import { print } from 'graphql'
import { Observable } from 'rxjs'
import { type After, report } from './errors.ts'
import { connect, type Data, type Event, EVENTS, resuming } from './graphql-ws.ts'

export function follow(url: string, token: string, after: After, take: (event: Event) => void, fail = report): () => void {
  const socket = connect(url, token)
  const link = new ApolloLink(
    ({ query, variables }) =>
      new Observable(sink => resuming(socket, { query: print(query), variables }, sink)),
  )
  const client = new ApolloClient({ link, cache: new InMemoryCache() })
  const subscription = client
    .subscribe<Data>({ query: gql(EVENTS), variables: { after } })
    .subscribe(({ data, error }) => (error ? fail(error) : data && take(data.events)))
  return () => {
    subscription.unsubscribe()
    void socket.dispose()
  }
}
