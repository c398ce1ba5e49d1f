import { explorerPlugin } from '@graphiql/plugin-explorer'
import { HISTORY_PLUGIN } from '@graphiql/plugin-history'
import { GraphiQL } from 'graphiql'
import { useMemo } from 'react'
import { examples } from './examples.ts'
import { FillNames } from './FillNames.tsx'
import { FromTheTop } from './FromTheTop.tsx'
import { Questions } from './Questions.tsx'
import { SmallerType } from './SmallerType.tsx'
import { currentToken, identity } from './identity.ts'
import { fetcher } from './measured.ts'
import { COST, EXAMPLES, VERSIONS } from './panels.tsx'
import { useStore } from './store.ts'
import { isFirstVisit } from './visit.ts'
import { WhoAmI } from './WhoAmI.tsx'

const NEW_TAB = '# Ctrl-Space completes, Ctrl-Enter runs. "Show Documentation Explorer" on the left explains each field.\n\n'

const plugins = [EXAMPLES, explorerPlugin({ showAttribution: false }), VERSIONS, COST, HISTORY_PLUGIN]

export function App() {
  const hasToken = currentToken(useStore(identity)) !== undefined
  // Another fetcher lets GraphiQL ask for the schema again, as is due once there is a token.
  const asked = useMemo<typeof fetcher>(() => (...request) => fetcher(...request), [hasToken])
  return (
    <GraphiQL
      fetcher={asked}
      plugins={plugins}
      visiblePlugin={EXAMPLES}
      defaultTabs={examples.map(({ query, variables }) => ({ query, variables }))}
      initialVariables={isFirstVisit ? examples[0]?.variables : undefined}
      defaultQuery={NEW_TAB}
      defaultEditorToolsVisibility="variables"
      inputValueDeprecation
      schemaDescription
      shouldPersistHeaders={false}
      showPersistHeadersSettings={false}
    >
      <GraphiQL.Logo>
        <WhoAmI />
        <FillNames />
        <FromTheTop />
        <SmallerType />
        <Questions />
      </GraphiQL.Logo>
    </GraphiQL>
  )
}
