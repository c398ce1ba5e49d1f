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
  key?: string
}

/** Load again when the key, the member or `turn` changes.
 *
 * The previous result stays until the response arrives, and beside an error if it has the same key. Another person never
 * sees it.
 */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, key: string, turn = 0): Loaded<T> {
  const who = useStore(identity)
  const [token, person] = [currentToken(who), personOf(who)]
  const [kept, keep] = useState<Kept<T>>({})

  useEffect(() => {
    const abort = new AbortController()
    const stale = (before: Kept<T>) => (before.key === key && before.person === person ? before.data : undefined)
    load(abort.signal).then(
      data => abort.signal.aborted || keep({ data, person, key }),
      (error: Error) => abort.signal.aborted || keep(before => ({ data: stale(before), error: error.message, person, key })),
    )
    return () => abort.abort()
  }, [key, token, turn]) // the key identifies what `load` returns
  return kept.person === person ? kept : {}
}

export const useQuery = <T>(query: string, variables: object, turn = 0) =>
  useLoaded<T>(signal => ask<T>(query, variables, { signal }), query + JSON.stringify(variables), turn)
