import { useEffect, useState } from 'react'
import { ask } from '../api.ts'
import { currentToken, identity, personOf } from '../identity.ts'
import { useStore } from '../store.ts'

export interface Loaded<T> {
  data?: T
  error?: string
}

interface Kept<T> extends Loaded<T> {
  person?: string
}

/** Load again when the key, the member or `turn` changes.
 *
 * The previous result stays until the response arrives. Another person never sees it.
 */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, key: string, turn = 0): Loaded<T> {
  const who = useStore(identity)
  const [token, person] = [currentToken(who), personOf(who)]
  const [kept, keep] = useState<Kept<T>>({})

  useEffect(() => {
    const abort = new AbortController()
    load(abort.signal).then(
      data => abort.signal.aborted || keep({ data, person }),
      (error: Error) => abort.signal.aborted || keep({ error: error.message, person }),
    )
    return () => abort.abort()
  }, [key, token, turn]) // the key identifies what `load` returns
  return kept.person === person ? kept : {}
}

export const useQuery = <T>(query: string, variables: object, turn = 0) =>
  useLoaded<T>(signal => ask<T>(query, variables, { signal }), query + JSON.stringify(variables), turn)
