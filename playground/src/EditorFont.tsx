import { useGraphiQL } from '@graphiql/react'
import { useEffect } from 'react'

const FONT = { fontSize: 13, lineHeight: 20, wordWrap: 'on', wrappingIndent: 'deepIndent' } as const

/** Use a smaller font and wrap lines, so that an example fits into a laptop's window. */
export function EditorFont() {
  const editors = useGraphiQL(state => ({
    query: state.queryEditor,
    variables: state.variableEditor,
    headers: state.headerEditor,
    response: state.responseEditor,
  }))

  useEffect(() => {
    for (const editor of Object.values(editors)) editor?.updateOptions(FONT)
  }, [editors])
  return null
}
