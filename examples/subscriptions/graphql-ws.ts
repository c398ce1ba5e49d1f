/** Follow the feed with graphql-ws. It reconnects by itself, and continues after the last event. */
import { type Client, createClient, type Sink, type SubscribePayload } from 'graphql-ws'
import { type After, goOn, type Refusal, Refused, report } from './errors.ts'

export const EVENTS = 'subscription Events($after: String) { events(after: $after) { id action subjectLabel cursor } }'
const FORBIDDEN = 4403 // the server closes the connection when it doesn't accept the token

export interface Event {
  id: string
  action: string
  subjectLabel: string
  cursor: string
}

export type Data = { events: Event }

export const connect = (url: string, token: string): Client =>
  createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: { Authorization: `Bearer ${token}` },
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: reason => (reason as Partial<CloseEvent>).code !== FORBIDDEN,
  })

/**
 * Subscribe, and again if the server couldn't do it now. An error that would come again is given to the sink.
 *
 * graphql-ws sends the same object again when it reconnects, so the last cursor is kept in it.
 */
export function resuming(client: Client, payload: SubscribePayload, sink: Sink<any>) {
  const variables: { after?: After; [name: string]: unknown } = { ...payload.variables }
  let stop = () => {}
  let pause: ReturnType<typeof setTimeout> | undefined

  function start() {
    let isRefused = false
    const refuse = (errors: readonly Refusal[]) => {
      isRefused = true
      stop()
      try {
        variables.after = goOn(errors, variables.after ?? null)
      } catch (error) {
        return sink.error(error)
      }
      pause = setTimeout(start, 1000)
    }
    stop = client.subscribe<any>(
      { ...payload, variables },
      {
        next(result) {
          if (!result.data) return refuse(result.errors ?? [])
          const { events } = result.data as Partial<Data>
          if (events) variables.after = events.cursor
          sink.next(result)
        },
        error: reason => (Array.isArray(reason) ? refuse(reason) : sink.error(explained(reason))),
        complete: () => isRefused || sink.complete(),
      },
    )
  }

  start()
  return () => {
    clearTimeout(pause)
    stop()
  }
}

function explained(reason: unknown): Error {
  if (reason instanceof Error) return reason
  const { code, reason: why } = reason as CloseEvent
  return new Refused(`The server closed the connection: ${code} ${why}`)
}

/** Take the events after the cursor until the returned function is called, or the subscription fails. */
export function follow(url: string, token: string, after: After, take: (event: Event) => void, fail = report): () => void {
  const client = connect(url, token)
  const sink = { next: ({ data }: { data: Data }) => take(data.events), error: (error: unknown) => fail(error as Error), complete() {} }
  resuming(client, { query: EVENTS, variables: { after } }, sink)
  return () => void client.dispose()
}
