import { Button } from '@graphiql/react'
import type { Problem } from './problem.ts'
import { Store } from './store.ts'

/** Whether the dialog for a token is open. */
export const askingForToken = new Store(false)

const askForToken = () => askingForToken.set(true)
const reload = () => location.reload()

/** Show a problem with a button for its remedy. */
export function Notice({ problem: { message, remedy } }: { problem: Problem }) {
  return (
    <div className="notice" role="alert">
      <p>{message}</p>
      {remedy === 'token' && <Button onClick={askForToken}>Set a token</Button>}
      {remedy === 'reload' && <Button onClick={reload}>Reload the page</Button>}
    </div>
  )
}
