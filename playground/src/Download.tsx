import { ToolbarButton } from '@graphiql/react'
import { currentRequestKey, requestOf } from './requests.ts'

/** Save the tab's response as a file. */
function download() {
  const { answer, sent } = requestOf(currentRequestKey()) ?? {}
  if (!answer) return
  const href = URL.createObjectURL(new Blob([answer], { type: 'application/json' }))
  Object.assign(document.createElement('a'), { href, download: `${sent?.operationName ?? 'response'}.json` }).click()
  setTimeout(() => URL.revokeObjectURL(href))
}

export const Download = () => (
  <ToolbarButton label="Download the response" onClick={download}>
    <svg className="graphiql-toolbar-icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" aria-hidden="true">
      <path d="M12 4v11M8 11l4 4 4-4M5 20h14" />
    </svg>
  </ToolbarButton>
)
