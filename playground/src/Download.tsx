import { ToolbarButton, useGraphiQL } from '@graphiql/react'
import { printSchema } from 'graphql'
import { currentRequestKey, requestOf, textOf } from './requests.ts'
import { saveFile } from './save.ts'

/** Save the tab's response as a file. */
function saveResponse() {
  const request = requestOf(currentRequestKey())
  const text = request && textOf(request)
  if (text) saveFile(text, 'application/json', `${request.sent?.operationName ?? 'response'}.json`)
}

export function Download() {
  const schema = useGraphiQL(state => state.schema)
  const saveSchema = () => schema && saveFile(printSchema(schema), 'application/graphql', 'schema.graphql')
  return (
    <>
      <ToolbarButton label="Download the response" onClick={saveResponse}>
        <Icon path="M12 4v11M8 11l4 4 4-4M5 20h14" />
      </ToolbarButton>
      <ToolbarButton label="Download the schema" onClick={saveSchema}>
        <Icon path="M6 3h9l4 4v14H6zM15 3v4h4M12 10v7M9.500 14.500l2.500 2.500 2.500-2.500" />
      </ToolbarButton>
    </>
  )
}

const Icon = ({ path }: { path: string }) => (
  <svg className="graphiql-toolbar-icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" aria-hidden="true">
    <path d={path} />
  </svg>
)
