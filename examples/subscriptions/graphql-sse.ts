/** Follow the feed with graphql-sse. Each time that the stream ends, subscribe again after the last event. */
import { createClient, NetworkError } from 'graphql-sse'
import { type After, goOn, Refused, report } from './errors.ts'
import { type Data, type Event, EVENTS } from './graphql-ws.ts'

const FINAL = new Set<number | undefined>([400, 401, 403, 404, 405])

export function follow(url: string, token: string, after: After, take: (event: Event) => void, fail = report): () => void {
  const client = createClient({ url, headers: { Authorization: `Bearer ${token}` }, retryAttempts: 0 })
  let stopped = false
  const read = async () => {
    for await (const { data, errors } of client.iterate<Data>({ query: EVENTS, variables: { after } })) {
      if (!data) {
        after = goOn(errors ?? [], after)
        return
      }
      after = data.events.cursor
      take(data.events)
    }
  }
  const run = async () => {
    while (!stopped) {
      try {
        await read()
      } catch (error) {
        const status = error instanceof NetworkError ? error.response?.status : undefined
        if (error instanceof Refused || FINAL.has(status)) return fail(error as Error)
      }
      await new Promise(resolve => setTimeout(resolve, 1000))
    }
  }
  void run()
  return () => {
    stopped = true
    client.dispose()
  }
}
