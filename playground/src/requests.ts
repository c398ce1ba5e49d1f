/** The editors' requests. Each response belongs to the tab and the user that sent the request.
 *
 * GraphiQL would write a response into the tab that is open when it arrives.
 */
import { type Fetcher, formatResult } from '@graphiql/toolkit'
import { type Answer, type Asked, type Options, send } from './api.ts'
import { identity, personOf, ready } from './identity.ts'
import { measure, tracing } from './measured.ts'
import { isMutation, named } from './operations.ts'
import { permitted } from './permission.ts'
import type { Problem } from './problem.ts'
import { Store } from './store.ts'

interface Request {
  abort: AbortController
  isUnderWay: boolean
  answer: string
  problem?: Problem
  /** The observer that GraphiQL passes while it shows the request's tab. */
  complete?: () => void
}

/** The last request of each tab and user. */
const requests = new Map<string, Request>()

export const tab = new Store('')
/** Increases with each response. */
export const turn = new Store(0)

export const here = () => `${tab.get()} ${personOf(identity.get())}`
export const requestOf = (place: string) => requests.get(place)

/** Stop the requests of tabs that were closed. */
export function keep(tabs: readonly { id: string }[]) {
  for (const [place, { abort }] of requests)
    if (!tabs.some(({ id }) => place.startsWith(`${id} `))) {
      requests.delete(place)
      abort.abort()
    }
}

/** Answer introspection, run the editors' operations, or wait again for the tab's running request. */
export const fetcher: Fetcher = async (asked, options) => {
  const headers = options?.headers as Record<string, string> | undefined
  if (asked.operationName === 'IntrospectionQuery') return (await introspected(asked, { headers })) as never
  await ready
  const place = here()
  const last = requests.get(place)
  return waiting(place, last?.isUnderWay ? last : begin(place, named(asked), { headers }))
}

/** The reason why there is no schema. */
export const schemaProblem = new Store<Problem | undefined>(undefined)

async function introspected(asked: Asked, options: Options) {
  try {
    const answer = await send(asked, options)
    schemaProblem.set(undefined)
    return answer
  } catch (problem) {
    schemaProblem.set(problem as Problem)
    throw problem
  }
}

/** An observable that completes with the request. GraphiQL unsubscribes when the user stops it or changes the tab. */
function waiting(place: string, request: Request) {
  return {
    subscribe({ complete }: { complete: () => void }) {
      request.complete = complete
      return {
        unsubscribe() {
          request.complete = undefined
          queueMicrotask(() => place === here() && request.abort.abort()) // by then another tab would be open
        },
      }
    },
  } as never
}

function begin(place: string, asked: Asked, options: Options) {
  const request: Request = { abort: new AbortController(), isUnderWay: true, answer: '' }
  requests.set(place, request)
  void run(request, asked, options)
  return request
}

async function run(request: Request, wanted: Asked, options: Options) {
  try {
    const asked = await permitted(wanted)
    request.answer = formatResult(await answer(asked, { ...options, signal: request.abort.signal }))
  } catch (problem) {
    request.problem = problem as Problem
  }
  request.isUnderWay = false
  request.complete?.()
  turn.set(turn.get() + 1)
}

/** The trace is shown in its panel, not in the response. */
async function answer(asked: Asked, options: Options): Promise<Answer> {
  const headers = { ...options.headers, ...(tracing.get() && { 'X-Mainsheet-Trace': '1' }) }
  const begun = performance.now()
  const answer = await send(asked, { ...options, headers, isMutation: isMutation(asked) })
  return measure(asked, answer, performance.now() - begun)
}
