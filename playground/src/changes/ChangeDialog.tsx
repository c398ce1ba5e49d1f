import { Dialog } from '@graphiql/react'
import { type RefObject, useEffect, useRef, useState } from 'react'
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
  const isEntered = useRef(false)
  const leave = () => {
    if (!isEntered.current || confirm('Discard what you have entered?')) close()
  }
  return (
    <Dialog open={change !== undefined} onOpenChange={isOpen => isOpen || leave()}>
      {change && (
        <div className="question change">
          <div className="graphiql-dialog-header">
            <Dialog.Title className="graphiql-dialog-title">{TITLES[change.kind](change.number)}</Dialog.Title>
          </div>
          <Loading change={change} isEntered={isEntered} leave={leave} close={close} finish={finish} />
          <Dialog.Close />
        </div>
      )}
    </Dialog>
  )
}

interface Opened extends Required<Shown> {
  isEntered: RefObject<boolean>
  leave: () => void
}

function Loading({ change, ...rest }: Opened) {
  const [situation, setSituation] = useState<Situation>()
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    loadSituation(change.jobKey, change.number).then(setSituation, (error: Error) => setProblem(error.message))
  }, [change])
  if (problem) return <p role="alert">{problem}</p>
  if (!situation) return <p className="quiet">Loading …</p>
  return <ChangeForm change={change} first={situation} {...rest} />
}
