import { useGraphiQL } from '@graphiql/react'
import { useEffect } from 'react'

/** Scroll each tab to its first line: the editors would keep the scroll position of the previous tab. And scroll to a panel
 * that is opened: in a short window it is above the editors. */
export function ScrollToTop() {
  const tab = useGraphiQL(state => state.tabs[state.activeTabIndex]?.id)
  const { query, variables, response, panel } = useGraphiQL(state => ({
    panel: state.visiblePlugin,
    query: state.queryEditor,
    variables: state.variableEditor,
    response: state.responseEditor,
  }))

  useEffect(() => {
    for (const editor of [query, variables, response]) editor?.setScrollTop(0)
  }, [tab, query, variables, response])
  useEffect(() => {
    document.querySelector('.graphiql-plugin')?.scrollIntoView({ block: 'nearest' })
  }, [panel])
  return null
}
