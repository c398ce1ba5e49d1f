import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import { useEffect } from 'react'
import { currentToken, identity } from './identity.ts'
import { turn } from './requests.ts'
import { useStore } from './store.ts'

/** Ask for the schema again once there is a token that the server takes, or the server is back. */
export function Schema() {
  const token = currentToken(useStore(identity))
  const answered = useStore(turn)
  const { introspect } = useGraphiQLActions()
  const isMissing = useGraphiQL(state => !state.schema && !state.isIntrospecting)

  useEffect(() => {
    if (isMissing && token) void introspect()
    // Not when it is found missing: that would ask a server that is away without end.
  }, [token, answered])
  return null
}
