/** Follow the feed with graphql-ws. It reconnects by itself, and continues after the last event. */
import { type Client, createClient, type Sink, type SubscribePayload } from 'graphql-ws'

export const EVENTS = 'subscription Events($after: String) { events(after: $after) { id action subjectLabel cursor } }'

export interface Event {
  id: string
  action: string
  subjectLabel: string
  cursor: string
}

export type Data = { events: Event }

export const connect = (url: string, token: string): Client =>
  createClient({
    url: url.replace('http', 'ws'),
    connectionParams: { Authorization: `Bearer ${token}` },
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
  })

/** Subscribe. graphql-ws sends the same object again when it reconnects, so the last cursor is kept in it. */
export function resuming(client: Client, payload: SubscribePayload, sink: Sink<any>) {
  const variables = { ...payload.variables }
  return client.subscribe<any>(
    { ...payload, variables },
    {
      next(result) {
        variables.after = (result.data as Data | null)?.events.cursor ?? variables.after
        sink.next(result)
      },
      error: error => sink.error(error),
      complete: () => sink.complete(),
    },
  )
}

/** Take the events after the cursor until the returned function is called. */
export function follow(url: string, token: string, after: string, take: (event: Event) => void): () => void {
  const client = connect(url, token)
  const sink = { next: ({ data }: { data: Data }) => take(data.events), error: console.error, complete() {} }
  resuming(client, { query: EVENTS, variables: { after } }, sink)
  return () => void client.dispose()
}
