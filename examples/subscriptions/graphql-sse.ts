/** Follow the feed with graphql-sse. Each time that the stream ends, subscribe again after the last event. */
import { createClient } from 'graphql-sse'
import { type Data, type Event, EVENTS } from './graphql-ws.ts'

export function follow(url: string, token: string, after: string, take: (event: Event) => void): () => void {
  const client = createClient({ url, headers: { Authorization: `Bearer ${token}` }, retryAttempts: 0 })
  let stopped = false
  const run = async () => {
    while (!stopped) {
      try {
        for await (const { data } of client.iterate<Data>({ query: EVENTS, variables: { after } })) {
          after = data!.events.cursor
          take(data!.events)
        }
      } catch {
        await new Promise(resolve => setTimeout(resolve, 1000))
      }
    }
  }
  void run()
  return () => {
    stopped = true
    client.dispose()
  }
}
