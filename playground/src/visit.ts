/** What GraphiQL keeps between visits; before the first one it gets a layout with room for the examples' lines. */
export const isFirstVisit = localStorage.getItem('graphiql:tabState') === null

if (isFirstVisit) {
  localStorage.setItem('graphiql:docExplorerFlex', '0.32')
  localStorage.setItem('graphiql:editorFlex', '1.15')
}
