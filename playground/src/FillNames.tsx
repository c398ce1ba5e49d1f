import { useGraphiQL } from '@graphiql/react'
import { useEffect } from 'react'
import { currentToken, identity } from './identity.ts'
import { fill } from './names.ts'
import { useStore } from './store.ts'

/** Give the open tab's variables the ids that its names have for the chosen member. */
export function FillNames() {
  const editor = useGraphiQL(state => state.variableEditor)
  const tab = useGraphiQL(state => state.tabs[state.activeTabIndex]?.id)
  const token = currentToken(useStore(identity))

  useEffect(() => {
    if (!editor || !token) return
    const before = editor.getValue()
    void fill(before).then(
      after => after !== before && editor.getValue() === before && editor.setValue(after),
      () => undefined, // the editor itself shows what the server refuses
    )
  }, [editor, tab, token])
  return null
}
