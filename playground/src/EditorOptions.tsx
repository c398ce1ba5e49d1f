import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'
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
  useFollowScheme()
  return null
}

/** Let the editors follow the system's colors, as the rest of the page does. GraphiQL reads them only once. */
function useFollowScheme() {
  const theme = useGraphiQL(state => state.theme)
  const { setTheme } = useGraphiQLActions()
  useEffect(() => {
    if (theme) return // chosen in the settings
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const follow = () => setTheme(null)
    scheme.addEventListener('change', follow)
    return () => scheme.removeEventListener('change', follow)
  }, [theme, setTheme])
}
