import { linked } from './link.ts'

/** GraphiQL's stored state. On the first visit it gets a layout that is wide enough for the examples. */
export const isFirstVisit = localStorage.getItem('graphiql:tabState') === null

if (isFirstVisit) {
  localStorage.setItem('graphiql:docExplorerFlex', '0.32')
  localStorage.setItem('graphiql:editorFlex', '1.15')
}

// GraphiQL prefers the panel that it stored to that of its property, and ignores titles that it doesn't know.
if (linked.panel) localStorage.setItem('graphiql:visiblePlugin', linked.panel)
