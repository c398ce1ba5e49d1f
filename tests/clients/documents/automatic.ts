/** Run queries by their hashes with Apollo Client and urql, each of which registers them itself. */
import { createHash } from 'node:crypto'
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { Client, fetchExchange } from '@urql/core'
import { persistedExchange } from '@urql/exchange-persisted'
import { counted, headers, requests, url } from './requests.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

const apollo = () =>
  new ApolloClient({
    link: new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(
      new HttpLink({ uri: url, headers, fetch: counted }),
    ),
    cache: new InMemoryCache(),
  })
const urql = () =>
  new Client({
    url,
    preferGetMethod: false,
    fetch: counted,
    fetchOptions: { headers },
    exchanges: [persistedExchange({ generateHash: text => Promise.resolve(sha256(text)), preferGetForPersistedQueries: true }), fetchExchange],
  })

const seen = []
for (const name of ['first', 'again']) {
  const { data } = await apollo().query({ query: gql`query Automatic { organization { name } }` })
  seen.push({ client: 'apollo', name, data, requests: requests() })
}
for (const name of ['first', 'again']) {
  const { data } = await urql().query('query AutomaticForUrql { organization { name } }', {})
  seen.push({ client: 'urql', name, data, requests: requests() })
}
console.log(JSON.stringify(seen))
