import { type JobHistory, type Moment, moments } from './versions.ts'

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const minute = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' })

interface Shown {
  job: JobHistory
  shown: number
  show: (number: number) => void
}

export function Timeline({ job, shown, show }: Shown) {
  const { totalCount, nodes } = job.versions
  return (
    <>
      <ol className="timeline" aria-label="Versions, the newest first">
        {moments(job).map(moment =>
          moment.kind === 'activation' ? (
            <Moved key={moment.key} moment={moment} />
          ) : (
            <li key={moment.key} className={`${moment.kind} ${moment.number === job.currentVersion.number ? 'current' : ''}`}>
              <button type="button" aria-pressed={moment.number === shown} onClick={() => show(moment.number)}>
                <Version moment={moment} isCurrent={moment.number === job.currentVersion.number} />
              </button>
            </li>
          ),
        )}
      </ol>
      {totalCount > nodes.length && <p className="quiet">The newest {nodes.length} of {totalCount} versions.</p>}
    </>
  )
}

function Version({ moment, isCurrent }: { moment: Moment; isCurrent: boolean }) {
  const { kind, number, message, from, changed } = moment
  return (
    <>
      <span className="number">v{number}</span>
      <span className="what">
        <strong>
          {kind === 'draft' ? 'Draft' : (message ?? (from ? 'No message' : 'The first version'))}
          {isCurrent && <em className="badge">current</em>}
        </strong>
        <Signed moment={moment} />
        {from && (
          <small>
            {changed === 1 ? '1 change' : `${changed} changes`} since v{from}
          </small>
        )}
      </span>
    </>
  )
}

function Moved({ moment }: { moment: Moment }) {
  const { number, from, message } = moment
  return (
    <li className="activation">
      <span className="what">
        {from && from > number ? 'Back' : 'On'} to v{number}
        {message && <>: {message}</>}
        <Signed moment={moment} />
      </span>
    </li>
  )
}

const Signed = ({ moment: { who, at } }: { moment: Moment }) => (
  <small>
    {who}, <time dateTime={at} title={minute.format(new Date(at))}>{day.format(new Date(at))}</time>
  </small>
)
