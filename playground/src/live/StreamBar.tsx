import { Button } from '@graphiql/react'
import type { State } from './follow.ts'
import type { Stream } from './stream.ts'

const STATES: Record<State, string> = {
  connecting: 'Connecting …',
  live: 'Live',
  interrupted: 'Interrupted, connecting again …',
  stopped: 'Stopped',
  ended: 'Ended',
}

interface Shown {
  stream: Stream
  isRunning: boolean
  stop: () => void
  resume: () => void
}

/** The state of a subscription that the user runs. */
export function StreamBar({ stream: { state, count, next }, isRunning, stop, resume }: Shown) {
  return (
    <div className="stream">
      <span role="status">
        {STATES[state]} · {count === 1 ? '1 result' : `${count} results`}
      </span>
      {isRunning && <Button onClick={stop}>Stop</Button>}
      {!isRunning && <Button onClick={resume}>{next ? 'Resume after the last result' : 'Run again'}</Button>}
      {count > 0 && !next && <span className="quiet">Select `cursor` to resume without a gap.</span>}
    </div>
  )
}
