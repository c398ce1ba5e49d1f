import { examples } from './examples.ts'
import { linked } from './link.ts'

interface Tab {
  query?: string | null
  variables?: string | null
}

const stored = localStorage.getItem('graphiql:tabState')

/** The tab to show. GraphiQL stores it, but forgets the variables of one that was never edited. */
export const firstTab: Tab = (stored ? activeTab(stored) : undefined) ?? { variables: examples[0]?.variables }

function activeTab(text: string): Tab | undefined {
  try {
    const { tabs, activeTabIndex } = JSON.parse(text) as { tabs?: Tab[]; activeTabIndex?: number }
    return tabs?.[activeTabIndex ?? 0]
  } catch {
    return undefined // GraphiQL begins with the examples
  }
}

// On the first visit the layout is wide enough for the examples.
if (!stored) {
  localStorage.setItem('graphiql:docExplorerFlex', '0.32')
  localStorage.setItem('graphiql:editorFlex', '1.15')
}

// GraphiQL prefers the panel that it stored to that of its property, and ignores titles that it doesn't know.
if (linked.panel) localStorage.setItem('graphiql:visiblePlugin', linked.panel)
