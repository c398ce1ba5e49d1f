import { useGraphiQLActions } from '@graphiql/react'
import { useState } from 'react'
import { ask } from '../api.ts'
import { historyOf } from '../historyOf.ts'
import { EVENTS, type FeedEvent, useEvents } from '../live/useEvents.ts'
import { useOpen } from '../useOpen.ts'
import { useLoaded } from './useQuery.ts'

const RECENT = `query RecentEvents($before: String) {
  events(first: 50, after: $before, sortDirection: DESC) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id cursor action occurredAt subjectLabel message fromVersionNumber toVersionNumber
      actor { displayName }
      job { jobKey }
    }
  }
}`

interface Page {
  events: { nodes: FeedEvent[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } }
}

const MOST = 500
const STATES = {
  connecting: 'Connecting …',
  live: 'Live: new events appear at the top.',
  interrupted: 'Interrupted. Connecting again …',
  stopped: 'Stopped.',
  ended: 'Ended by the server.',
}

/** The feed of the organization: the newest events, and those that occur now. */
export default function Activity() {
  const { data, error } = useLoaded(signal => ask<Page>(RECENT, { before: null }, { signal }), 'activity')
  return (
    <section className="panel" aria-label="Activity">
      <h2>Activity</h2>
      {error && <p role="alert">{error}</p>}
      {!data && !error && <p className="quiet">Loading …</p>}
      {data && <Feed key={data.events.nodes[0]?.cursor} first={data.events} />}
    </section>
  )
}

function Feed({ first }: { first: Page['events'] }) {
  const [events, setEvents] = useState(first.nodes)
  const [pageInfo, setPageInfo] = useState(first.pageInfo)
  const [isPaused, pause] = useState(false)
  const [problem, setProblem] = useState<string>()
  const open = useOpen()
  const older = () =>
    ask<Page>(RECENT, { before: pageInfo.endCursor }).then(
      page => {
        setEvents(before => [...before, ...page.events.nodes])
        setPageInfo(page.events.pageInfo)
      },
      (error: Error) => setProblem(error.message),
    )
  return (
    <>
      <p className="pages">
        {isPaused ? (
          <span role="status">Paused.</span>
        ) : (
          <Live after={events[0]?.cursor ?? null} receive={event => setEvents(before => [event, ...before].slice(0, MOST))} />
        )}
        <button type="button" onClick={() => pause(!isPaused)}>
          {isPaused ? 'Resume' : 'Pause'}
        </button>
        <button type="button" disabled={!open} onClick={() => open?.(EVENTS, '{ "filter": {} }')}>
          Open as a subscription
        </button>
      </p>
      {problem && <p role="alert">{problem}</p>}
      {!events.length && <p className="quiet">No event yet that you can see.</p>}
      <ol className="events" aria-label="Events, the newest first">
        {events.map(event => (
          <Line key={event.id} event={event} />
        ))}
      </ol>
      {pageInfo.hasNextPage && events.length < MOST && (
        <p className="more">
          <button type="button" onClick={() => void older()}>
            Older events
          </button>
        </p>
      )}
    </>
  )
}

/** While it is shown, events arrive: at first those after the newest that is listed. */
function Live({ after, receive }: { after: string | null; receive: (event: FeedEvent) => void }) {
  const [begin] = useState(after)
  const { state, problem } = useEvents({ after: begin, receive })
  return problem ? <span role="alert">{problem}</span> : <span role="status">{STATES[state]}</span>
}

const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

function Line({ event }: { event: FeedEvent }) {
  const { action, actor, occurredAt, subjectLabel, fromVersionNumber: from, toVersionNumber: to, message, job } = event
  return (
    <li>
      <strong>{inWords(action)}</strong> {job ? <JobLink jobKey={job.jobKey}>{subjectLabel}</JobLink> : subjectLabel}
      {(from || to) && ` ${[from, to].map(each => each && `v${each}`).filter(Boolean).join(' → ')}`}
      {message && <q>{message}</q>}
      <small>
        {actor ? actor.displayName : 'The system'}, <time dateTime={occurredAt}>{time.format(new Date(occurredAt))}</time>
      </small>
    </li>
  )
}

/** `DRAFT_CREATED` is "Draft created". */
const inWords = (action: string) => action.charAt(0) + action.slice(1).toLowerCase().replaceAll('_', ' ')

function JobLink({ jobKey, children }: { jobKey: string; children: string }) {
  const { setVisiblePlugin } = useGraphiQLActions()
  const open = () => {
    historyOf.set(jobKey)
    setVisiblePlugin('Version History')
  }
  return (
    <button type="button" className="link" title={`Version history of ${jobKey}`} onClick={open}>
      {children}
    </button>
  )
}
