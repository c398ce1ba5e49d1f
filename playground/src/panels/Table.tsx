import { useEffect, useRef, useState } from 'react'
import { type Answer, ask, type GraphQLRequest, send } from '../api.ts'
import { type Connection, connectionsOf, nextPage } from '../connections.ts'
import { identity, personOf } from '../identity.ts'
import { useMoved } from '../live/useMoved.ts'
import { isMutation } from '../operations.ts'
import { requestOf, tab, turn } from '../requests.ts'
import { useStore } from '../store.ts'
import { useLoaded } from './useQuery.ts'

const POSITION = `query Position { events(first: 1, sortDirection: DESC) { nodes { cursor } } }`

export default function Table() {
  const requestKey = `${useStore(tab)} ${personOf(useStore(identity))}`
  const answered = useStore(turn)
  const { sent, answer } = requestOf(requestKey) ?? {}
  const data = answer ? (JSON.parse(answer) as Answer).data : undefined
  const all = sent ? connectionsOf(sent, data) : []
  const [chosen, choose] = useState('')
  const [isLive, setLive] = useState(true)
  const [moved, setMoved] = useState(0)
  const shown = all.find(({ path }) => path === chosen) ?? all[0]
  return (
    <section className="panel" aria-label="Table">
      <h2>Table</h2>
      {all.length > 1 && (
        <label>
          List{' '}
          <select value={shown?.path} onChange={({ target }) => choose(target.value)}>
            {all.map(({ path }) => (
              <option key={path}>{path}</option>
            ))}
          </select>
        </label>
      )}
      {shown && (
        <label className="check">
          <input type="checkbox" checked={isLive} onChange={({ target }) => setLive(target.checked)} /> Load again when data changes
        </label>
      )}
      {isLive && <Live move={() => setMoved(count => count + 1)} />}
      {sent && shown && (
        <Pages key={`${requestKey} ${answered} ${shown.path}`} first={{ request: sent, connection: shown }} moved={moved} />
      )}
      {!shown && <p className="quiet">Run an operation that selects the nodes or edges of a list.</p>}
    </section>
  )
}

/** While it is shown, calls `move` when data has changed, and once when it begins. */
function Live({ move }: { move: () => void }) {
  const { data: position } = useLoaded(signal => ask<Position>(POSITION, {}, { signal }), 'position')
  const moved = useMoved(position && (position.events.nodes[0]?.cursor ?? null))
  useEffect(() => {
    if (position) move()
  }, [position, moved])
  return null
}

interface Position {
  events: { nodes: { cursor: string }[] }
}

interface Page {
  request: GraphQLRequest
  connection: Connection
}

/** The pages that were read so far; the last one is shown. */
function Pages({ first, moved }: { first: Page; moved: number }) {
  const [pages, setPages] = useState([first])
  const [problem, setProblem] = useState<string>()
  const { request, connection } = pages.at(-1) ?? first
  const seen = useRef(moved)
  useEffect(() => {
    if (moved === seen.current || isMutation(request)) return
    seen.current = moved
    load(request, connection.path).then(
      again => setPages(pages => pages.map(page => (page.request === request ? { request, connection: again } : page))),
      (error: Error) => setProblem(error.message),
    )
  }, [moved, request, connection.path])
  const next = isMutation(request) ? undefined : nextPage(request, connection)
  const read = async (request: GraphQLRequest) => {
    try {
      setPages([...pages, { request, connection: await load(request, connection.path) }])
      setProblem(undefined)
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  return (
    <>
      <Rows {...connection} />
      <p className="pages">
        <button type="button" disabled={pages.length < 2} onClick={() => setPages(pages.slice(0, -1))}>
          Previous page
        </button>
        <button type="button" disabled={typeof next !== 'object'} onClick={() => typeof next === 'object' && void read(next)}>
          Next page
        </button>
        <span role="status">
          {connection.rows.length} rows{connection.total !== undefined && ` of ${connection.total}`}
        </span>
      </p>
      {typeof next === 'string' && <p className="quiet">{next}</p>}
      {problem && <p role="alert">{problem}</p>}
    </>
  )
}

async function load(request: GraphQLRequest, path: string): Promise<Connection> {
  const { data, errors = [] } = await send(request)
  const connection = connectionsOf(request, data).find(each => each.path === path)
  if (!connection) throw new Error(errors.map(({ message }) => message).join(' ') || 'The list is no longer there.')
  return connection
}

function Rows({ path, rows }: Connection) {
  const columns = [...new Set(rows.flatMap(Object.keys))]
  if (!rows.length) return <p className="quiet">The list is empty.</p>
  return (
    <div className="scrolled" tabIndex={0} role="region" aria-label={path}>
      <table>
        <thead>
          <tr>
            {columns.map(column => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {columns.map(column => (
                <td key={column}>{row[column]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
