import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'

/** Return a function that opens a tab with the operation and its variables, or undefined until the editors are there. */
export function useOpen() {
  const { addTab } = useGraphiQLActions()
  const { queryEditor, variableEditor, headerEditor } = useGraphiQL(state => ({
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
    headerEditor: state.headerEditor,
  }))
  if (!queryEditor || !variableEditor) return undefined
  return (query: string, variables: string, position = 0, headers = '') => {
    addTab()
    variableEditor.setValue(variables)
    if (headers) headerEditor?.setValue(headers)
    queryEditor.setValue(query)
    const cursor = queryEditor.getModel()?.getPositionAt(position)
    if (cursor) queryEditor.setPosition(cursor)
  }
}
