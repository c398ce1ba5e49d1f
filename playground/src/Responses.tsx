import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import { useEffect } from 'react'
import { identity, personOf } from './identity.ts'
import { streamed } from './live/stream.ts'
import { StreamBar } from './live/StreamBar.tsx'
import { Notice } from './Notice.tsx'
import { answered, currentRequestKey, requestOf, resume, schemaProblem, tab, textOf, turn } from './requests.ts'
import { useStore } from './store.ts'

/** Show the response to the last request of this tab and user, or the problem. */
export function Responses() {
  const requestKey = `${useStore(tab)} ${personOf(useStore(identity))}`
  const { response, tabId, fetchError } = useGraphiQL(state => ({
    response: state.responseEditor,
    tabId: state.tabs[state.activeTabIndex]?.id ?? '',
    fetchError: state.fetchError,
    isFetching: state.isFetching, // removes the notice when the next request is sent
  }))
  const { run, stop } = useGraphiQLActions()
  const changed = useStore(turn)
  const last = useStore(answered)
  const results = useStore(streamed)

  useEffect(() => tab.set(tabId), [tabId]) // GraphiQL reports changes only, not the first tab
  useEffect(() => {
    stop() // GraphiQL still waits for the request of the previous tab or user
    if (requestOf(requestKey)?.isRunning) void run()
  }, [requestKey, run, stop])
  useEffect(() => {
    const request = requestOf(requestKey)
    const text = request ? textOf(request) : ''
    if (text !== undefined && response?.getValue() !== text) response?.setValue(text)
  }, [requestKey, response, changed, results, fetchError]) // GraphiQL writes that error into the response
  useEffect(() => {
    // In a narrow window it is below the editors.
    if (last && last === requestOf(currentRequestKey()))
      document.querySelector('.graphiql-response')?.scrollIntoView({ block: 'nearest' })
  }, [last])

  const noSchema = useStore(schemaProblem)
  const request = requestOf(requestKey)
  const problem = request ? request.problem : noSchema
  const resumeStream = () => {
    resume(requestKey)
    void run()
  }
  return (
    <>
      {problem && <Notice problem={problem} />}
      {request?.stream && <StreamBar stream={request.stream} isRunning={request.isRunning} stop={stop} resume={resumeStream} />}
    </>
  )
}
