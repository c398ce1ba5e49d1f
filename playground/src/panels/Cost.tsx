import { useEffect } from 'react'
import { type Cost as Spent, type Measured, measured, refusals, type Statement, tracing } from '../measured.ts'
import { useStore } from '../store.ts'

const number = new Intl.NumberFormat()
const milliseconds = (value: number) => `${value < 1 ? value.toFixed(2) : value < 10 ? value.toFixed(1) : Math.round(value)} ms`

export default function Cost() {
  const last = useStore(measured)
  const refused = useStore(refusals)
  useEffect(() => {
    tracing.set(true)
    return () => tracing.set(false)
  }, [])
  return (
    <section className="panel" aria-label="Cost">
      <h2>Cost</h2>
      {refused.length > 0 && <Refused reasons={refused} />}
      {refused.length > 0 && last && <h3>The last operation that ran</h3>}
      {last && <Result last={last} />}
      {!last && !refused.length && <p className="quiet">Run an operation to see what it costs.</p>}
    </section>
  )
}

const Refused = ({ reasons }: { reasons: string[] }) => (
  <>
    <p>The server refused the last operation before it ran. It sent no statement to the database:</p>
    <ul>
      {reasons.map(reason => (
        <li key={reason}>{reason}</li>
      ))}
    </ul>
  </>
)

const inBytes = (bytes: number) => (bytes < 1024 ? `${bytes} bytes` : `${number.format(Math.ceil(bytes / 1024))} KiB`)

function Result({ last }: { last: Measured }) {
  const { operation, cost, bytes } = last
  return (
    <>
      <dl className="figures">
        <Figure label="Operation" value={operation} />
        <Figure label="Round trip" value={milliseconds(last.milliseconds)} />
        <Figure label="Answer" value={inBytes(bytes)} />
        {cost && <Figure label="On the server" value={milliseconds(cost.milliseconds)} />}
        {cost && <Figure label="In statements" value={milliseconds(spent(cost.statements))} />}
        {cost && <Figure label="SQL statements" value={number.format(cost.statements.length)} />}
      </dl>
      {cost ? <Details cost={cost} /> : <NoTrace />}
    </>
  )
}

const Figure = ({ label, value }: { label: string; value: string }) => (
  <div>
    <dt>{label}</dt>
    <dd>{value}</dd>
  </div>
)

const NoTrace = () => (
  <p className="quiet">
    Run the operation again while this panel is open. If there are no more details, traces are disabled on this server:{' '}
    <code>MAINSHEET_TRACE=true</code> enables them.
  </p>
)

function Details({ cost }: { cost: Spent }) {
  return (
    <>
      <h3>Estimated before it ran</h3>
      <Share label="Cost" value={cost.cost} limit={cost.limits.cost} />
      <Share label="Fields" value={cost.fields} limit={cost.limits.fields} />
      <Share label="Depth" value={cost.depth} limit={cost.limits.depth} />
      <h3>Statements</h3>
      <p className="quiet">
        The statements took {milliseconds(spent(cost.statements))}, the operation {milliseconds(cost.milliseconds)}. The
        difference is the server's own work: waiting for a connection and building the response. The round trip also includes
        the network, authentication, and parsing and validating the operation.
      </p>
      {levels(cost.statements).map(([level, statements]) => (
        <Level key={level} level={level} statements={statements} total={cost.milliseconds} />
      ))}
    </>
  )
}

function levels(statements: Statement[]): [number, Statement[]][] {
  const found = new Map<number, Statement[]>()
  for (const statement of statements) found.set(statement.level, [...(found.get(statement.level) ?? []), statement])
  return [...found].sort(([a], [b]) => a - b)
}

const spent = (statements: Statement[]) => statements.reduce((sum, { milliseconds }) => sum + milliseconds, 0)

function Level({ level, statements, total }: { level: number; statements: Statement[]; total: number }) {
  return (
    <section className="level">
      <h4>
        {level ? `Level ${level}` : 'The operation itself'}
        <span>
          {statements.length === 1 ? '1 statement' : `${statements.length} statements`}, {milliseconds(spent(statements))}
        </span>
      </h4>
      <ol className="statements">
        {statements.map((statement, index) => (
          <StatementDetails key={index} statement={statement} total={total} />
        ))}
      </ol>
    </section>
  )
}

const Share = ({ label, value, limit }: { label: string; value: number; limit: number }) => (
  <label className="share">
    <span>{label}</span>
    <meter value={value} max={limit} high={limit * 0.8} />
    <span>
      {number.format(value)} of {number.format(limit)}
    </span>
  </label>
)

/** The operation and table of a statement: `SELECT job`. */
function inShort(sql: string) {
  const [verb = ''] = sql.match(/^\w+/) ?? []
  const [, table = ''] = sql.match(/\b(?:FROM|INTO|UPDATE)\s+(\w+)/) ?? []
  return `${verb} ${table}`
}

/** Allow line breaks in long paths only after dots. */
const broken = (path: string) => path.split(/(?<=\.)/).flatMap((part, index) => [part, <wbr key={index} />])

function StatementDetails({ statement, total }: { statement: Statement; total: number }) {
  const { fields, keys, sql } = statement
  return (
    <li>
      <details>
        <summary>
          <code>{fields.length ? broken(fields.join(', ')) : inShort(sql)}</code>
          <span>
            {keys !== null && `${keys === 1 ? '1 key' : `${keys} keys`} · `}
            {milliseconds(statement.milliseconds)}
          </span>
          <span className="bar" aria-hidden="true" style={{ inlineSize: `${Math.min(100, (100 * statement.milliseconds) / total)}%` }} />
        </summary>
        <pre>{sql}</pre>
      </details>
    </li>
  )
}
