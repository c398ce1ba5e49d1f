import { useGraphiQL } from '@graphiql/react'
import { useEffect } from 'react'

const HINT = '# Ctrl-Space completes, Ctrl-Enter runs. "Show Documentation Explorer" on the left describes each field.\n\n'

/** Start a new tab with a hint. GraphiQL uses `defaultQuery` only for a page without tabs. */
export function NewTab() {
  const editor = useGraphiQL(state => state.queryEditor)
  const { id, query } = useGraphiQL(state => ({ ...state.tabs[state.activeTabIndex] }))

  useEffect(() => {
    if (!editor || query !== null || editor.getValue() !== '') return
    editor.setValue(HINT)
    editor.setPosition({ lineNumber: 3, column: 1 })
  }, [editor, id])
  return null
}
