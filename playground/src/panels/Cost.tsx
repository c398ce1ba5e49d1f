import { useEffect } from 'react'
import { type Cost as Spent, type Measured, measured, type Statement, tracing } from '../measured.ts'
import { useStore } from '../store.ts'

const number = new Intl.NumberFormat()
const milliseconds = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`

export default function Cost() {
  const last = useStore(measured)
  useEffect(() => {
    tracing.set(true)
    return () => tracing.set(false)
  }, [])
  return (
    <section className="panel" aria-label="Cost">
      <h2>Cost</h2>
      {last ? <Result last={last} /> : <p className="quiet">Run an operation: what it costs will stand here.</p>}
    </section>
  )
}

function Result({ last }: { last: Measured }) {
  const { operation, cost, bytes } = last
  return (
    <>
      <dl className="figures">
        <Figure label="Operation" value={operation} />
        <Figure label="Round trip" value={milliseconds(last.milliseconds)} />
        <Figure label="Answer" value={`${number.format(Math.ceil(bytes / 1024))} KiB`} />
        {cost && <Figure label="On the server" value={milliseconds(cost.milliseconds)} />}
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
    Run it again with this panel open. If nothing more appears, this server doesn't trace: <code>MAINSHEET_TRACE=true</code>{' '}
    allows it.
  </p>
)

function Details({ cost }: { cost: Spent }) {
  return (
    <>
      <h3>Estimated before it ran</h3>
      <Share label="Cost" value={cost.cost} limit={cost.limits.cost} />
      <Share label="Fields" value={cost.fields} limit={cost.limits.fields} />
      <Share label="Depth" value={cost.depth} limit={cost.limits.depth} />
      <h3>What the database was asked</h3>
      <ol className="statements">
        {cost.statements.map((statement, index) => (
          <Asked key={index} statement={statement} total={cost.milliseconds} />
        ))}
      </ol>
    </>
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

function Asked({ statement, total }: { statement: Statement; total: number }) {
  const { batch, level, rows, sql } = statement
  return (
    <li>
      <details>
        <summary>
          <code>{batch}</code>
          <span>
            level {level} · {rows} {rows === 1 ? 'row' : 'rows'} · {milliseconds(statement.milliseconds)}
          </span>
          <meter aria-hidden="true" value={statement.milliseconds} max={Math.max(total, 0.1)} />
        </summary>
        <pre>{sql}</pre>
      </details>
    </li>
  )
}
