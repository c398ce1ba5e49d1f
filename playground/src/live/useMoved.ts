import { useMemo, useRef, useState } from 'react'
import { useEvents } from './useEvents.ts'

const PAUSE = 1_000 // milliseconds between two loads, for lists that many events change

/** Return a number that increases after events that match, at most once in a second. */
export function useMoved(after: string | null | undefined, filter?: { jobIds?: string[]; actions?: string[] }): number {
  const [moved, setMoved] = useState(0)
  const first = useRef(after)
  first.current ??= after // a list that was loaded again must not begin another subscription
  const receive = useMemo(() => throttled(() => setMoved(count => count + 1)), [])
  useEvents({ filter, after: first.current, receive })
  return moved
}

function throttled(call: () => void) {
  let isPausing = false
  let isMissed = false
  return function next() {
    isMissed = isPausing
    if (isPausing) return
    call()
    isPausing = true
    setTimeout(() => {
      isPausing = false
      if (isMissed) next()
    }, PAUSE)
  }
}
