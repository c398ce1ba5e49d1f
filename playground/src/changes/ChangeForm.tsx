import { Button } from '@graphiql/react'
import { type FormEvent, type RefObject, useEffect, useState } from 'react'
import { identity, isDemo } from '../identity.ts'
import { useOpen } from '../useOpen.ts'
import { changedFields, configOf, textOf, withFields } from './config.ts'
import { Conflict } from './Conflict.tsx'
import { type Change, isConflict, requestOf, sendChange, type UserError } from './mutations.ts'
import { loadSituation, type Situation } from './situation.ts'
import { BUTTONS, DONE, EFFECTS, goneDraft } from './texts.ts'
import { DraftInTheWay, Operation, Warnings } from './warnings.tsx'

interface Form {
  change: Change
  first: Situation
  /** Whether closing the dialog would discard something that the user entered. */
  isEntered: RefObject<boolean>
  /** Close the dialog if the user agrees. */
  leave: () => void
  close: () => void
  finish: (done: string) => void
}

export function ChangeForm({ change, first, isEntered, leave, close, finish }: Form) {
  const { kind, number } = change
  const isEdited = kind === 'create' || kind === 'edit'
  const [situation, setSituation] = useState(first)
  const [text, setText] = useState(textOf(first.version?.input ?? {}))
  const firstMessage = ((kind === 'edit' || kind === 'publish') && first.draft?.message) || ''
  const [message, setMessage] = useState(firstMessage)
  const [discardDraft, setDiscardDraft] = useState(false)
  const { errors, problem, accepted, now, attempt, reset } = useAttempt(change)
  const open = useOpen()
  const isUnsaved = message !== firstMessage || (isEdited && text !== textOf(situation.version?.input ?? {}))
  useEffect(() => {
    isEntered.current = isUnsaved
    return () => {
      isEntered.current = false
    }
  }, [isUnsaved])

  const config = isEdited ? configOf(text) : undefined
  const request = requestOf(change, situation, { message, config, discardDraft })
  const isBlocked = situation.draft !== null && (kind === 'create' || (kind === 'activate' && !discardDraft))
  const gone = goneDraft(change, now ?? situation)
  const isReady = !isBlocked && !gone && (config !== undefined || !isEdited)
  const mine = now?.version && config ? textOf(withFields(now.version.input, changedFields(situation.version?.input ?? {}, config))) : undefined

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (await attempt(request, false)) finish(DONE[kind](number))
  }
  const goOn = () => {
    if (!now) return
    setSituation(now)
    if (mine) setText(mine)
    setDiscardDraft(false) // it was meant for the draft as it was
    reset()
  }
  const openInTab = () => {
    open?.(request.query, JSON.stringify(request.variables, null, 2))
    close()
  }
  return (
    <form onSubmit={event => void submit(event)}>
      <p>{EFFECTS[kind](number, situation.currentVersion.number)}</p>
      <Warnings kind={kind} situation={situation} />
      <DraftInTheWay kind={kind} situation={situation} discardDraft={discardDraft} choose={setDiscardDraft} />
      {isEdited && (
        <label>
          Configuration
          <textarea rows={12} spellCheck={false} value={text} onChange={({ target }) => setText(target.value)} />
        </label>
      )}
      {isEdited && !config && <p role="alert">The configuration isn't a JSON object.</p>}
      <label>
        Message
        <input value={message} maxLength={1023} placeholder="Why? (optional)" onChange={({ target }) => setMessage(target.value)} />
      </label>
      <Operation request={request} />
      {errors.length > 0 && <Refusal errors={errors} />}
      {problem && <p role="alert">{problem}</p>}
      {now && <Conflict before={situation} now={now} mine={mine} goOn={gone ? undefined : goOn} />}
      {gone && <p role="alert">{gone}</p>}
      <div className="buttons">
        <Button type="submit" className={isDemo(identity.get()) ? 'primary' : 'danger'} disabled={!isReady}>
          {BUTTONS[kind]}
        </Button>
        <Button type="button" disabled={!isReady} onClick={() => void attempt(request, true)}>
          Dry run
        </Button>
        <Button type="button" disabled={!open || (isEdited && !config) || gone !== undefined} onClick={openInTab}>
          Open in a tab
        </Button>
        <Button type="button" onClick={leave}>
          Cancel
        </Button>
      </div>
      <p role="status">{accepted && 'The server would accept this. Nothing was changed.'}</p>
    </form>
  )
}

const Refusal = ({ errors }: { errors: UserError[] }) => (
  <div role="alert">
    <ul>
      {errors.map(({ code, message, path }) => (
        <li key={`${code} ${path.join('.')}`}>
          {message} <code>{code}</code>
        </li>
      ))}
    </ul>
  </div>
)

/** The outcome of the last attempt. After a conflict, `now` is the job's present state. */
function useAttempt({ jobKey, number }: Change) {
  const [errors, setErrors] = useState<UserError[]>([])
  const [problem, setProblem] = useState<string>()
  const [accepted, setAccepted] = useState(false)
  const [now, setNow] = useState<Situation>()
  const reset = () => {
    setErrors([])
    setProblem(undefined)
    setAccepted(false)
    setNow(undefined)
  }
  const attempt = async (request: ReturnType<typeof requestOf>, dryRun: boolean) => {
    reset()
    try {
      const refused = await sendChange(request, dryRun)
      setErrors(refused)
      setAccepted(dryRun && !refused.length)
      if (isConflict(refused)) setNow(await loadSituation(jobKey, number))
      return !refused.length
    } catch (error) {
      setProblem((error as Error).message)
      return false
    }
  }
  return { errors, problem, accepted, now, attempt, reset }
}
