/** The editors' requests. Each response belongs to the tab and the user that sent the request.
 *
 * GraphiQL would write a response into the tab that is open when it arrives.
 */
import { type Fetcher, formatResult } from '@graphiql/toolkit'
import { type Answer, type GraphQLRequest, send } from './api.ts'
import { consistency } from './consistency.ts'
import { withOwn, type Written, written } from './headers.ts'
import { identity, personOf, ready } from './identity.ts'
import { collect, type Stream, streamAfter, streamed } from './live/stream.ts'
import { measure, tracing } from './measured.ts'
import { isMutation, isSubscription, named } from './operations.ts'
import { permitted } from './permission.ts'
import type { Problem } from './problem.ts'
import { Store } from './store.ts'

interface Request {
  abort: AbortController
  isRunning: boolean
  answer: string
  /** What was sent, once the user has permitted it. */
  sent?: GraphQLRequest
  problem?: Problem
  /** The results of a subscription. */
  stream?: Stream
  /** The observer that GraphiQL passes while it shows the request's tab. */
  complete?: () => void
}

/** The last request of each tab and user. */
const requests = new Map<string, Request>()

export const tab = new Store('')
/** Increases with each response, and with each change of a panel. */
export const turn = new Store(0)
/** The request of any tab or user that was answered last. */
export const answered = new Store<Request | undefined>(undefined)

export const currentRequestKey = () => `${tab.get()} ${personOf(identity.get())}`
export const requestOf = (requestKey: string) => requests.get(requestKey)

/** Return the text of the response: that of a subscription has its results, the newest first. */
export function textOf({ stream, answer, isRunning }: Request): string | undefined {
  if (stream) return stream.results.length ? formatResult(stream.results) : ''
  return isRunning ? undefined : answer
}

/** Cancel the requests of closed tabs. */
export function keep(tabs: readonly { id: string }[]) {
  for (const [requestKey, { abort }] of requests)
    if (!tabs.some(({ id }) => requestKey.startsWith(`${id} `))) {
      requests.delete(requestKey)
      abort.abort()
    }
}

/** Answer introspection, run the editors' operations, or wait again for the tab's running request. */
export const fetcher: Fetcher = async (graphQLRequest, options) => {
  const headers: Written = options?.headers ?? {}
  if (graphQLRequest.operationName === 'IntrospectionQuery')
    return (await introspected(graphQLRequest, headers)) as never
  await ready
  const requestKey = currentRequestKey()
  const last = requests.get(requestKey)
  if (last?.isRunning) return waiting(requestKey, last)
  const wanted = last?.stream?.isResuming ? (last.stream.next ?? last.sent ?? graphQLRequest) : graphQLRequest
  return waiting(requestKey, begin(requestKey, named(wanted), headers))
}

/** Let the next run of the tab's operation go on after the last result of its subscription. */
export function resume(requestKey: string) {
  const stream = requests.get(requestKey)?.stream
  if (stream) stream.isResuming = true
}

/** The reason why there is no schema. */
export const schemaProblem = new Store<Problem | undefined>(undefined)

async function introspected(graphQLRequest: GraphQLRequest, headers: Written) {
  try {
    const answer = await send(graphQLRequest, { headers: written(headers), isCached: true })
    schemaProblem.set(undefined)
    return answer
  } catch (problem) {
    schemaProblem.set(problem as Problem)
    throw problem
  }
}

/** An observable that completes with the request. GraphiQL unsubscribes when the user stops it or changes the tab. */
function waiting(requestKey: string, request: Request) {
  return {
    subscribe({ next, complete }: { next: (result: object) => void; complete: () => void }) {
      request.complete = complete
      if (request.stream) queueMicrotask(() => hideSpinner(next))
      return {
        unsubscribe() {
          request.complete = undefined
          queueMicrotask(() => requestKey === currentRequestKey() && request.abort.abort()) // changing the tab also unsubscribes, and must not stop the request
        },
      }
    },
  } as never
}

/** GraphiQL shows it until the first result. The page writes the results itself. */
function hideSpinner(next: (result: object) => void) {
  next({})
  streamed.set(streamed.get() + 1)
}

function begin(requestKey: string, graphQLRequest: GraphQLRequest, headers: Written) {
  const stream = isSubscription(graphQLRequest) ? streamAfter(requests.get(requestKey)?.stream) : undefined
  const request: Request = { abort: new AbortController(), isRunning: true, answer: '', stream }
  requests.set(requestKey, request)
  void run(request, graphQLRequest, headers)
  return request
}

async function run(request: Request, wanted: GraphQLRequest, headers: Written) {
  try {
    const graphQLRequest = (request.sent = await permitted(wanted))
    if (request.stream) await collect(request.stream, graphQLRequest, request.abort.signal)
    else request.answer = formatResult(await answer(graphQLRequest, headers, request.abort.signal))
  } catch (problem) {
    request.problem = problem as Problem
  }
  request.isRunning = false
  request.complete?.()
  answered.set(request)
  turn.set(turn.get() + 1)
}

/** The trace is shown in its panel, not in the response. */
async function answer(graphQLRequest: GraphQLRequest, own: Written, signal: AbortSignal): Promise<Answer> {
  const headers = withOwn(written(own), { ...consistency(), ...(tracing.get() && { 'X-Mainsheet-Trace': '1' }) })
  const begun = performance.now()
  const answer = await send(graphQLRequest, { headers, signal, isMutation: isMutation(graphQLRequest) })
  return measure(graphQLRequest, answer, performance.now() - begun)
}
