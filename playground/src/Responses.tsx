import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import { useEffect } from 'react'
import { identity, personOf } from './identity.ts'
import { Notice } from './Notice.tsx'
import { requestOf, schemaProblem, tab, turn } from './requests.ts'
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
  const answered = useStore(turn)

  useEffect(() => tab.set(tabId), [tabId]) // GraphiQL reports changes only, not the first tab
  useEffect(() => {
    stop() // GraphiQL still waits for the request of the previous tab or user
    if (requestOf(requestKey)?.isRunning) void run()
  }, [requestKey, run, stop])
  useEffect(() => {
    const request = requestOf(requestKey)
    if (!request?.isRunning) response?.setValue(request?.answer ?? '')
  }, [requestKey, response, answered, fetchError]) // GraphiQL writes that error into the response

  const noSchema = useStore(schemaProblem)
  const request = requestOf(requestKey)
  const problem = request ? request.problem : noSchema
  return problem ? <Notice problem={problem} /> : null
}
