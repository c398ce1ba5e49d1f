/** Subscriptions by WebSocket: one connection, whatever the number of subscriptions. */
import { type Client, createClient } from 'graphql-ws'
import type { Answer, GraphQLRequest } from '../api.ts'
import { forgetConsistency } from '../consistency.ts'
import { currentToken, identity } from '../identity.ts'

const KEPT_OPEN = 5_000 // milliseconds without a subscription, such as between two panels

interface Connection {
  client: Client
  token?: string
  isOpen: boolean
}

let current: Connection | undefined

/** Return the chosen member's connection. It opens with its first subscription. */
function connection(): Connection {
  const token = currentToken(identity.get())
  if (current && current.token === token) return current
  const made: Connection = { client: clientFor(token), token, isOpen: false }
  made.client.on('connected', () => (made.isOpen = true))
  made.client.on('closed', () => (made.isOpen = false))
  return (current = made)
}

function clientFor(token?: string) {
  const url = `${location.origin.replace(/^http/, 'ws')}${location.pathname}`
  const connectionParams = token ? { Authorization: `Bearer ${token}` } : {}
  // It doesn't retry: it would send the same `after` again, and repeat events.
  return createClient({ url, connectionParams, lazyCloseTimeout: KEPT_OPEN, retryAttempts: 0 })
}

export interface Sink {
  connected: () => void
  receive: (answer: Answer) => void
}

/** Resolve when the subscription has ended or the signal aborts it. Reject when it is interrupted or refused. */
export async function subscribe({ query, variables, operationName }: GraphQLRequest, sink: Sink, signal: AbortSignal): Promise<void> {
  const { client, isOpen } = connection()
  if (isOpen) sink.connected()
  const unlisten = client.on('connected', sink.connected)
  const payload = { query, variables: variables as Record<string, unknown>, operationName }
  try {
    await new Promise<void>((resolve, reject) => {
      const next = (answer: unknown) => {
        forgetConsistency()
        sink.receive(answer as Answer)
      }
      const stop = client.subscribe(payload, { next, error: reject, complete: resolve })
      const abort = () => {
        stop()
        resolve()
      }
      if (signal.aborted) abort()
      signal.addEventListener('abort', abort)
    })
  } finally {
    unlisten()
  }
}
