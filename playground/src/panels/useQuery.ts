import { useEffect, useState } from 'react'
import { ask } from '../api.ts'
import { currentToken, identity } from '../identity.ts'
import { useStore } from '../store.ts'

export interface Loaded<T> {
  data?: T
  error?: string
}

/** Load again when the key, the member or `turn` changes. The previous result stays until the response arrives. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, key: string, turn = 0): Loaded<T> {
  const token = currentToken(useStore(identity))
  const [loaded, setLoaded] = useState<Loaded<T>>({})

  useEffect(() => {
    const abort = new AbortController()
    load(abort.signal).then(
      data => abort.signal.aborted || setLoaded({ data }),
      (error: Error) => abort.signal.aborted || setLoaded({ error: error.message }),
    )
    return () => abort.abort()
  }, [key, token, turn]) // the key identifies what `load` returns
  return loaded
}

export const useQuery = <T>(query: string, variables: object, turn = 0) =>
  useLoaded<T>(signal => ask<T>(query, variables, { signal }), query + JSON.stringify(variables), turn)
