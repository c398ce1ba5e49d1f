import { useGraphiQL } from '@graphiql/react'
import { useEffect } from 'react'
import { currentToken, identity } from './identity.ts'
import { fill } from './names.ts'
import { useStore } from './store.ts'

/** Keep the variables of an example's tab suitable for the chosen member, until the tab is edited. */
export function FillNames() {
  const { query, variables, tab } = useGraphiQL(state => ({
    query: state.queryEditor,
    variables: state.variableEditor,
    tab: state.tabs[state.activeTabIndex]?.id,
  }))
  const token = currentToken(useStore(identity))

  useEffect(() => {
    if (!query || !variables) return
    const before = [query.getValue(), variables.getValue()] as const
    const isAsBefore = () => query.getValue() === before[0] && variables.getValue() === before[1]
    void fill(...before).then(
      after => after !== before[1] && isAsBefore() && variables.setValue(after),
      () => undefined, // the tab stays as it is; running it shows what the server refuses
    )
  }, [query, variables, tab, token])
  return null
}
