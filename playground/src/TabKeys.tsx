import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import { useEffect } from 'react'

/** Move among the tabs of the editors with arrow keys, Home and End, and close the focused one with Delete. */
export function TabKeys() {
  const { changeTab, closeTab } = useGraphiQLActions()
  const count = useGraphiQL(state => state.tabs.length)
  const active = useGraphiQL(state => state.activeTabIndex)

  useEffect(() => {
    const move = (event: KeyboardEvent) => {
      if (!(event.target instanceof Element && event.target.matches('.graphiql-tab-button'))) return
      const index = { ArrowLeft: active - 1, ArrowRight: active + 1, Home: 0, End: count - 1 }[event.key]
      const next = index === undefined ? undefined : (index + count) % count
      if (event.key === 'Delete' && count > 1) closeTab(active)
      else if (next !== undefined) changeTab(next)
      else return
      event.preventDefault()
      // Once the page has been updated.
      setTimeout(() => document.querySelector<HTMLElement>('.graphiql-tab-button[aria-selected=true]')?.focus())
    }
    addEventListener('keydown', move)
    return () => removeEventListener('keydown', move)
  }, [active, count, changeTab, closeTab])
  return null
}
