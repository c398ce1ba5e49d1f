import { useGraphiQL } from '@graphiql/react'
import { useEffect } from 'react'

const FONT = { fontSize: 13, lineHeight: 20, wordWrap: 'on', wrappingIndent: 'deepIndent' } as const

/** With GraphiQL's default font size and no line wrap, half of an example doesn't fit into a laptop's window. */
export function SmallerType() {
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
