import { Button, Dialog, useGraphiQL } from '@graphiql/react'
import { type FormEvent, useState } from 'react'
import { JobPicker } from './JobPicker.tsx'
import { type Question, question } from './permission.ts'
import { type Blank, fillBlanks } from './placeholders.ts'
import { useStore } from './store.ts'
import { TeamPicker } from './TeamPicker.tsx'

/** The dialog that asks before an operation is sent. */
export function QuestionDialog() {
  const current = useStore(question)
  return (
    <Dialog open={current !== undefined} onOpenChange={isOpen => isOpen || cancel(current)}>
      {current?.kind === 'choose' && <Choose {...current} />}
      {current?.kind === 'confirm' && <Confirm {...current} />}
    </Dialog>
  )
}

function cancel(current?: Question) {
  if (current?.kind === 'choose') current.answer()
  if (current?.kind === 'confirm') current.answer(false)
}

const Title = ({ children }: { children: string }) => (
  <div className="graphiql-dialog-header">
    <Dialog.Title className="graphiql-dialog-title">{children}</Dialog.Title>
  </div>
)

type Of<Kind> = Extract<Question, { kind: Kind }>

function Choose({ blanks, answer }: Of<'choose'>) {
  const variables = useGraphiQL(state => state.variableEditor)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const chosen = new Map(blanks.map(each => [each.text, value(each, form)]))
    variables?.setValue(fillBlanks(variables.getValue(), chosen))
    answer(chosen)
  }
  return (
    <form className="question" onSubmit={submit}>
      <Title>Choose the objects</Title>
      <p>The example needs objects of your organization. Your choice is written into the variables.</p>
      {blanks.map(each => (
        <Choice key={each.text} blank={each} />
      ))}
      <div className="buttons">
        <Button type="submit">Run it</Button>
        <Button type="button" onClick={() => answer()}>
          Cancel
        </Button>
      </div>
    </form>
  )
}

const value = ({ text, by }: Blank, form: FormData) => (by === 'number' ? Number(form.get(text)) : String(form.get(text)))

function Choice({ blank: { text, by, kind } }: { blank: Blank }) {
  const [key, choose] = useState('')
  if (kind === 'job') return <JobPicker name={text} by={by === 'key' ? 'jobKey' : 'id'} value={key} choose={choose} />
  if (kind === 'team') return <TeamPicker name={text} />
  return (
    <label>
      Version
      <input name={text} type="number" min="1" step="1" required placeholder="Version number" />
    </label>
  )
}

function Confirm({ operation, answer }: Of<'confirm'>) {
  return (
    <div className="question">
      <Title>{`Run ${operation} on real data?`}</Title>
      <p>
        This isn't the demo: <code>{operation}</code> changes data of your organization immediately. You are asked once for
        each mutation of the examples.
      </p>
      <div className="buttons">
        <Button type="button" onClick={() => answer(false)}>
          Cancel
        </Button>
        <Button type="button" className="danger" onClick={() => answer(true)}>
          Change real data
        </Button>
      </div>
    </div>
  )
}
