import { useEffect, useState } from 'react'
import { ask } from '../api.ts'
import { currentToken, identity } from '../identity.ts'
import { useStore } from '../store.ts'

export interface Asked<T> {
  data?: T
  error?: string
}

/** Ask again whenever the question, the member or `turn` changes; what is shown stays until the answer is there. */
export function useAsked<T>(query: string, variables: object | undefined, turn = 0): Asked<T> {
  const token = currentToken(useStore(identity))
  const [asked, setAsked] = useState<Asked<T>>({})
  const question = variables && JSON.stringify(variables)

  useEffect(() => {
    if (question === undefined) return
    const abort = new AbortController()
    ask<T>(query, JSON.parse(question) as object, abort.signal).then(
      data => abort.signal.aborted || setAsked({ data }),
      (error: Error) => abort.signal.aborted || setAsked({ error: error.message }),
    )
    return () => abort.abort()
  }, [query, question, token, turn])
  return asked
}
