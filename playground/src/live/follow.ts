/** Follow a subscription over interruptions: each time it goes on after the last event. */
import type { Answer, GraphQLRequest } from '../api.ts'
import { withArgument } from '../connections.ts'
import { currentToken, identity, isDemo, isRenewed } from '../identity.ts'
import { operationOf } from '../operations.ts'
import { Problem, refusedToken } from '../problem.ts'

export type State = 'connecting' | 'live' | 'interrupted' | 'stopped' | 'ended'

export interface Follower {
  receive: (answer: Answer) => void
  change: (state: State) => void
}

// Codes with which a connection is closed.
const FORBIDDEN = 4403 // of graphql-transport-ws
const REFUSED = [1009, 4400] // a message that is too large, or that the server can't read: the next one would be, too
const SHORTEN = 'It may be too long: shorten its document or variables.'
const LONGEST_WAIT = 30

/** Resolve when the server ends the subscription or the signal aborts it. Throws a `Problem` if it is refused. */
export async function follow(graphQLRequest: GraphQLRequest, { receive, change }: Follower, signal: AbortSignal): Promise<void> {
  let [request, wait] = [graphQLRequest, 1]
  const { subscribe } = await import('./socket.ts')
  const sink = {
    connected: () => signal.aborted || change('live'),
    receive(answer: Answer) {
      if (signal.aborted) return
      wait = 1
      request = afterLast(request, answer)
      change('live')
      receive(answer)
    },
  }
  change('connecting')
  while (!signal.aborted) {
    const sender = identity.get()
    try {
      await subscribe(request, sink, signal)
      return change(signal.aborted ? 'stopped' : 'ended')
    } catch (reason) {
      if (Array.isArray(reason)) throw new Problem(reason.map(({ message }: Error) => message).join(' '))
      const { code, reason: why } = reason as CloseEvent
      if (REFUSED.includes(code)) throw new Problem(`The server refuses the subscription. ${why || SHORTEN}`)
      const isRefused = code === FORBIDDEN && !(await isRenewed(sender))
      // A demo that is starting will renew its tokens.
      if (isRefused && !isDemo(sender)) throw refusedToken(currentToken(sender) !== undefined)
    }
    change('interrupted')
    await sleep(wait, signal)
    wait = Math.min(2 * wait, LONGEST_WAIT)
  }
}

const sleep = (seconds: number, signal: AbortSignal) =>
  new Promise<void>(resolve => {
    setTimeout(resolve, 1000 * seconds)
    signal.addEventListener('abort', () => resolve())
  })

/** Return the request that goes on after this result. It is the same if the result has no `cursor`. */
export function afterLast(request: GraphQLRequest, { data }: Answer): GraphQLRequest {
  const field = operationOf(request)?.selectionSet.selections[0]
  if (field?.kind !== 'Field') return request
  const value = (data as Record<string, { cursor?: unknown } | null> | undefined)?.[field.alias?.value ?? field.name.value]
  return typeof value?.cursor === 'string' ? withArgument(request, field, 'after', value.cursor) : request
}
