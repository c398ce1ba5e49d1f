import { examples } from './examples.ts'
import { linked } from './link.ts'
import { isReadable, keptObject, lasting, tryToKeep } from './storage.ts'

interface Tab {
  query?: string | null
  variables?: string | null
}

const stored = lasting.getItem('graphiql:tabState')

/** The tab to show. GraphiQL stores it, but forgets the variables of one that was never edited. */
export const firstTab: Tab = activeTab() ?? { variables: examples[0]?.variables }

/** Return the active tab, or undefined if it can't be read: then GraphiQL begins with the examples. */
function activeTab(): Tab | undefined {
  const { tabs, activeTabIndex } = keptObject(stored) as { tabs?: unknown[]; activeTabIndex?: number }
  const tab = Array.isArray(tabs) ? tabs[activeTabIndex ?? 0] : undefined
  return isReadable(tab) ? tab : undefined
}

// On the first visit the layout is wide enough for the examples.
if (!stored) {
  tryToKeep(lasting, 'graphiql:docExplorerFlex', '0.32')
  tryToKeep(lasting, 'graphiql:editorFlex', '1.15')
}

// GraphiQL prefers the panel that it stored to that of its property, and ignores titles that it doesn't know.
if (linked.panel) tryToKeep(lasting, 'graphiql:visiblePlugin', linked.panel)
