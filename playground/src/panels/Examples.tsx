import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import { type Example, examples } from '../examples.ts'

export function Examples() {
  const tabs = useGraphiQL(state => state.tabs)
  const active = useGraphiQL(state => state.activeTabIndex)
  const open = useOpen()
  return (
    <section className="panel" aria-label="Examples">
      <h2>Mainsheet</h2>
      <p>
        What runs, on which cluster, on which schedule, and who may touch it. Open an example, press{' '}
        <kbd>Ctrl</kbd>&nbsp;<kbd>Enter</kbd> on the operation under your cursor, and become somebody else at the top
        right: what a member can't see doesn't exist for them. With <kbd>Ctrl</kbd>&nbsp;<kbd>M</kbd>, <kbd>Tab</kbd> leaves
        an editor.
      </p>
      <ol className="examples">
        {examples.map(example => (
          <li key={example.title}>
            <button type="button" aria-current={tabs[active]?.query === example.query} onClick={() => open(example)}>
              <strong>{example.title}</strong>
              <span>{example.about}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  )
}

/** Open the example's tab, or create it again if it was closed or edited. */
function useOpen() {
  const { addTab, changeTab } = useGraphiQLActions()
  const { tabs, queryEditor, variableEditor } = useGraphiQL(state => ({
    tabs: state.tabs,
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
  }))
  return ({ query, variables }: Example) => {
    const index = tabs.findIndex(tab => tab.query === query)
    if (index >= 0) return changeTab(index)
    addTab()
    variableEditor?.setValue(variables)
    queryEditor?.setValue(query)
  }
}
