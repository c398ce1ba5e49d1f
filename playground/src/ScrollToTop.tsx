import { useGraphiQL } from '@graphiql/react'
import { useEffect } from 'react'

/** Scroll each tab to its first line. The editors would keep the scroll position of the previous tab. */
export function ScrollToTop() {
  const tab = useGraphiQL(state => state.tabs[state.activeTabIndex]?.id)
  const { query, variables, response } = useGraphiQL(state => ({
    query: state.queryEditor,
    variables: state.variableEditor,
    response: state.responseEditor,
  }))

  useEffect(() => {
    for (const editor of [query, variables, response]) editor?.setScrollTop(0)
  }, [tab, query, variables, response])
  return null
}
