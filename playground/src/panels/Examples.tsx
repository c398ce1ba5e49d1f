import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import { type Example, examples } from '../examples.ts'
import { useOpen } from '../useOpen.ts'

export function Examples() {
  const tabs = useGraphiQL(state => state.tabs)
  const active = useGraphiQL(state => state.activeTabIndex)
  const open = useOpenExample()
  return (
    <section className="panel" aria-label="Examples">
      <h2>Mainsheet</h2>
      <p>
        A GraphQL API for versioned data jobs. Open an example, and press <kbd>Ctrl</kbd>&nbsp;<kbd>Enter</kbd> to run the
        operation at the cursor. Choose another member at the top right to see how the response depends on permissions. To
        leave an editor with <kbd>Tab</kbd>, press <kbd>Ctrl</kbd>&nbsp;<kbd>M</kbd> first.
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
function useOpenExample() {
  const { changeTab } = useGraphiQLActions()
  const tabs = useGraphiQL(state => state.tabs)
  const open = useOpen()
  return ({ query, variables }: Example) => {
    const index = tabs.findIndex(tab => tab.query === query)
    if (index >= 0) changeTab(index)
    else open?.(query, variables)
  }
}
