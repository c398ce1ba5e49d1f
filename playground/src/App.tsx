import { HISTORY_PLUGIN } from '@graphiql/plugin-history'
import type { TabsState } from '@graphiql/react'
import { GraphiQL } from 'graphiql'
import { Responses } from './Responses.tsx'
import { examples } from './examples.ts'
import { FillNames } from './FillNames.tsx'
import { ScrollToTop } from './ScrollToTop.tsx'
import { NewTab } from './NewTab.tsx'
import { QuestionDialog } from './QuestionDialog.tsx'
import { EditorOptions } from './EditorOptions.tsx'
import { ACTIVITY, COLLECTION, COST, EXAMPLES, FIELDS, guarded, TABLE, VERSIONS } from './panels.tsx'
import { fetcher, keep, tab } from './requests.ts'
import { Schema } from './Schema.tsx'
import { firstTab } from './visit.ts'
import { OpenLink } from './OpenLink.tsx'
import { Download } from './Download.tsx'
import { Share } from './Share.tsx'
import { graphiqlStorage } from './storage.ts'
import { TabKeys } from './TabKeys.tsx'
import { MemberMenu } from './MemberMenu.tsx'

// GraphiQL finds its history plugin in this list by identity.
const plugins = [...[EXAMPLES, FIELDS, VERSIONS, ACTIVITY, TABLE, COST, COLLECTION].map(guarded), HISTORY_PLUGIN]

function follow({ tabs, activeTabIndex }: TabsState) {
  keep(tabs)
  tab.set(tabs[activeTabIndex]?.id ?? '')
}

export function App() {
  return (
    <GraphiQL
      fetcher={fetcher}
      storage={graphiqlStorage}
      plugins={plugins}
      visiblePlugin={plugins[0]}
      defaultTabs={examples.map(({ query, variables }) => ({ query, variables }))}
      initialQuery={firstTab.query ?? undefined}
      initialVariables={firstTab.variables ?? undefined}
      onTabChange={follow}
      defaultEditorToolsVisibility="variables"
      inputValueDeprecation
      schemaDescription
      shouldPersistHeaders={false}
      showPersistHeadersSettings={false}
    >
      <GraphiQL.Logo>
        <h1 className="hidden-text">Mainsheet playground</h1>
        <MemberMenu />
        <TabKeys />
        <FillNames />
        <OpenLink />
        <NewTab />
        <ScrollToTop />
        <EditorOptions />
        <QuestionDialog />
        <Schema />
      </GraphiQL.Logo>
      <GraphiQL.Toolbar>
        {({ prettify, merge, copy }) => (
          <>
            {prettify}
            {merge}
            {copy}
            <Share />
            <Download />
          </>
        )}
      </GraphiQL.Toolbar>
      <GraphiQL.Footer>
        <Responses />
      </GraphiQL.Footer>
    </GraphiQL>
  )
}
