/** Run documents that the server trusts, by the ids in their manifest, and one that it doesn't trust. */
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import type { DocumentNode } from 'graphql'
import { Client, fetchExchange, type TypedDocumentNode } from '@urql/core'
import { persistedExchange } from '@urql/exchange-persisted'
import { createClient as createSocket } from 'graphql-ws'
import { EVENTS, JOBS, RENAME } from './documents.ts'
import { counted, headers, requests, url } from './requests.ts'

const idOf = (document: object): string => (document as { __meta__?: { hash: string } }).__meta__?.hash ?? 'untrusted'

const apollo = new ApolloClient({
  link: new PersistedQueryLink({ generateHash: idOf, useGETForHashedQueries: true }).concat(
    new HttpLink({ uri: url, headers, fetch: counted }),
  ),
  cache: new InMemoryCache(),
})
const urql = new Client({
  url,
  preferGetMethod: false,
  fetch: counted,
  fetchOptions: { headers },
  exchanges: [
    persistedExchange({
      generateHash: (_, document) => Promise.resolve(idOf(document)),
      enforcePersistedQueries: true,
      enableForMutation: true,
    }),
    fetchExchange,
  ],
})

const first = { first: 100 }
const keysOf = (data: unknown) => (data as { me: { jobs: { nodes: { jobKey: string }[] } } }).me.jobs.nodes.map(each => each.jobKey)

const { data } = await apollo.query({ query: JOBS as DocumentNode, variables: first })
const jobId = (data as { me: { jobs: { nodes: { id: string }[] } } }).me.jobs.nodes[0]!.id
const keys = {
  apollo: keysOf(data),
  urql: keysOf((await urql.query(JOBS as TypedDocumentNode<unknown, typeof first>, first)).data),
}
const renamed = [
  (await apollo.mutate({ mutation: RENAME as DocumentNode, variables: { jobId, name: 'By Apollo' } })).data,
  (await urql.mutation(RENAME as TypedDocumentNode<unknown, object>, { jobId, name: 'By urql' })).data,
]
const sent = requests()

const socket = createSocket({ url: url.replace('http', 'ws'), connectionParams: headers })
const events = socket.iterate({ query: '', extensions: { persistedQuery: { version: 1, sha256Hash: idOf(EVENTS) } } })
// Until the subscription has begun, changes make no event for it.
const rename = () => urql.mutation(RENAME as TypedDocumentNode<unknown, object>, { jobId, name: `At ${Date.now()}` }).toPromise()
const change = setInterval(rename, 200)
const { value } = await events.next()
clearInterval(change)
await events.return!()
void socket.dispose()

const untrusted = await apollo.query({ query: gql`query Untrusted { organization { name } }`, errorPolicy: 'all' })
const codes = ((untrusted.error as { errors?: { extensions: { code: string } }[] })?.errors ?? []).map(each => each.extensions.code)
apollo.stop()
console.log(JSON.stringify({ keys, renamed, sent, event: value, codes }))
