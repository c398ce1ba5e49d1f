import { useEffect, useRef, useState } from 'react'
import type { Answer } from '../api.ts'
import { currentToken, identity } from '../identity.ts'
import { useStore } from '../store.ts'
import { follow, type State } from './follow.ts'

export const EVENTS = `subscription Events($filter: EventFilter, $after: String) {
  events(filter: $filter, after: $after) {
    id cursor action occurredAt subjectLabel message fromVersionNumber toVersionNumber
    actor { displayName }
    job { jobKey }
  }
}`

export interface FeedEvent {
  id: string
  cursor: string
  action: string
  occurredAt: string
  subjectLabel: string
  message: string | null
  fromVersionNumber: number | null
  toVersionNumber: number | null
  actor: { displayName: string } | null
  job: { jobKey: string } | null
}

interface Wanted {
  filter?: { jobIds?: string[]; actions?: string[] }
  /** Begin after this cursor; undefined waits for it. */
  after: string | null | undefined
  receive: (event: FeedEvent) => void
}

/** Receive the events that match while the component is shown. */
export function useEvents({ filter, after, receive }: Wanted): { state: State; problem?: string } {
  const token = currentToken(useStore(identity))
  const [state, setState] = useState<State>('connecting')
  const [problem, setProblem] = useState<string>()
  const latest = useRef(receive)
  latest.current = receive
  const key = JSON.stringify([filter, after])

  useEffect(() => {
    if (after === undefined || !token) return
    const abort = new AbortController()
    const take = ({ data }: Answer) => data && latest.current((data as { events: FeedEvent }).events)
    setProblem(undefined)
    follow({ query: EVENTS, variables: { filter, after } }, { receive: take, change: setState }, abort.signal).catch(
      (error: Error) => abort.signal.aborted || setProblem(error.message),
    )
    return () => abort.abort()
  }, [key, token])
  return { state, problem }
}
