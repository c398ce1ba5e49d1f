import { useGraphiQL } from '@graphiql/react'
import { useEffect } from 'react'

/** A smaller font and wrapped lines, so that an example fits into a laptop's window. */
const FONT = { fontSize: 13, lineHeight: 20, wordWrap: 'on', wrappingIndent: 'deepIndent' } as const

/** Set the editors' font, and their names for screen readers: Monaco would call each of them "Editor content". */
export function EditorOptions() {
  const editors = useGraphiQL(state => ({
    Operation: state.queryEditor,
    Variables: state.variableEditor,
    'Request headers': state.headerEditor,
    Response: state.responseEditor,
  }))

  useEffect(() => {
    for (const [ariaLabel, editor] of Object.entries(editors)) editor?.updateOptions({ ...FONT, ariaLabel })
  }, [editors])
  return null
}
