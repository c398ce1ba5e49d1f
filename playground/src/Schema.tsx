import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import { useEffect } from 'react'
import { currentToken, identity } from './identity.ts'
import { turn } from './requests.ts'
import { useStore } from './store.ts'

/** Load the schema again when there is a valid token, or when the server is back. */
export function Schema() {
  const token = currentToken(useStore(identity))
  const answered = useStore(turn)
  const { introspect } = useGraphiQLActions()
  const isMissing = useGraphiQL(state => !state.schema && !state.isIntrospecting)

  useEffect(() => {
    if (isMissing && token) void introspect()
    // Not when the schema is missing: that would send endless requests to an unreachable server.
  }, [token, answered])
  return null
}
