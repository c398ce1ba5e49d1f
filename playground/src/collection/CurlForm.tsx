import type { FormEvent } from 'react'
import { operationOf } from '../operations.ts'
import { useOpen } from '../useOpen.ts'
import type { Attempt } from './Collection.tsx'
import { readCurl } from './curl.ts'

/** Opens the operation of a pasted command in a tab. */
export function CurlForm({ attempt }: { attempt: Attempt }) {
  const open = useOpen()
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    attempt(() => {
      const { query, variables, operationName, headers, hasCredentials } = readCurl(String(new FormData(form).get('command')))
      open?.(query, variables, operationOf({ query, operationName })?.loc?.start, headers)
      form.reset()
      return `The operation was opened in a tab.${hasCredentials ? " Its credentials were not taken: this page sends your token." : ''}`
    })
  }
  return (
    <details>
      <summary>Import a curl command</summary>
      <form onSubmit={submit}>
        <p className="quiet">Its operation, variables and headers are opened in a tab. Tokens, cookies and other
          credentials are not taken.</p>
        <textarea name="command" aria-label="curl command" rows={6} required spellCheck={false} autoComplete="off" />
        <p className="actions">
          <button type="submit" disabled={!open}>
            Open in a tab
          </button>
        </p>
      </form>
    </details>
  )
}
