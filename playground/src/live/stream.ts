/** The results of a subscription that the user runs. */
import type { Answer, GraphQLRequest } from '../api.ts'
import { Store } from '../store.ts'
import { afterLast, follow, type State } from './follow.ts'

export interface Stream {
  state: State
  /** The newest first. */
  results: Answer[]
  count: number
  /** The request that goes on after the last result, once there is one with a cursor. */
  next?: GraphQLRequest
  isResuming: boolean
}

const MOST = 100
const PAUSE = 50 // milliseconds between two updates of the page

/** Increases with each change of a stream. */
export const streamed = new Store(0)

let isScheduled = false

/** Update the page soon, and once for many results. */
export function announce() {
  if (isScheduled) return
  isScheduled = true
  setTimeout(() => {
    isScheduled = false
    streamed.set(streamed.get() + 1)
  }, PAUSE)
}

/** Begin the results, or go on with those of a stream that is resumed. */
export const streamAfter = (last?: Stream): Stream => ({
  ...(last?.isResuming ? last : { results: [], count: 0 }),
  state: 'connecting',
  isResuming: false,
})

/** Collect results until the signal aborts the stream or the server ends it. */
export async function collect(stream: Stream, request: GraphQLRequest, signal: AbortSignal) {
  const receive = (answer: Answer) => {
    stream.results = [answer, ...stream.results].slice(0, MOST)
    stream.count++
    const next = afterLast(request, answer)
    if (next !== request) stream.next = next
    announce()
  }
  const change = (state: State) => {
    stream.state = state
    announce()
  }
  try {
    await follow(request, { receive, change }, signal)
  } finally {
    change(signal.aborted ? 'stopped' : 'ended')
  }
}
