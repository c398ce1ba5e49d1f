import { Dialog } from '@graphiql/react'
import { useEffect, useState } from 'react'
import { ChangeForm } from './ChangeForm.tsx'
import type { Change } from './mutations.ts'
import { loadSituation, type Situation } from './situation.ts'
import { TITLES } from './texts.ts'

interface Shown {
  change?: Change
  close: () => void
  /** Called after the change, with a sentence that says what was done. */
  finish: (done: string) => void
}

/** The dialog in which a change of a job is entered, shown as the operation that it sends, and sent. */
export function ChangeDialog({ change, close, finish }: Shown) {
  return (
    <Dialog open={change !== undefined} onOpenChange={isOpen => isOpen || close()}>
      {change && (
        <div className="question change">
          <div className="graphiql-dialog-header">
            <Dialog.Title className="graphiql-dialog-title">{TITLES[change.kind](change.number)}</Dialog.Title>
          </div>
          <Loading change={change} close={close} finish={finish} />
          <Dialog.Close />
        </div>
      )}
    </Dialog>
  )
}

function Loading({ change, close, finish }: Required<Shown>) {
  const [situation, setSituation] = useState<Situation>()
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    loadSituation(change.jobKey, change.number).then(setSituation, (error: Error) => setProblem(error.message))
  }, [change])
  if (problem) return <p role="alert">{problem}</p>
  if (!situation) return <p className="quiet">Loading …</p>
  return <ChangeForm change={change} first={situation} close={close} finish={finish} />
}
