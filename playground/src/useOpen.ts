import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'

/** Return a function that opens a tab with the operation and its variables, or undefined until the editors are there. */
export function useOpen() {
  const { addTab } = useGraphiQLActions()
  const { queryEditor, variableEditor } = useGraphiQL(state => ({
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
  }))
  if (!queryEditor || !variableEditor) return undefined
  return (query: string, variables: string, position = 0) => {
    addTab()
    variableEditor.setValue(variables)
    queryEditor.setValue(query)
    const cursor = queryEditor.getModel()?.getPositionAt(position)
    if (cursor) queryEditor.setPosition(cursor)
  }
}
