import { useGraphiQL } from '@graphiql/react'
import { useEffect } from 'react'
import { currentToken, identity } from './identity.ts'
import { fill } from './names.ts'
import { useStore } from './store.ts'

/** Keep the variables of an example's tab suitable for the chosen member, until they are edited. */
export function FillNames() {
  const { query, variables, tab } = useGraphiQL(state => ({
    query: state.queryEditor,
    variables: state.variableEditor,
    tab: state.tabs[state.activeTabIndex]?.id,
  }))
  const token = currentToken(useStore(identity))

  useEffect(() => {
    if (!query || !variables) return
    const before = variables.getValue()
    let isCurrent = true
    void fill(query.getValue(), before).then(
      // The user may have begun to edit the operation: these variables belong to it all the same.
      after => isCurrent && after !== before && variables.getValue() === before && variables.setValue(after),
      () => undefined, // the tab stays as it is; running it shows what the server refuses
    )
    return () => {
      isCurrent = false
    }
  }, [query, variables, tab, token])
  return null
}
