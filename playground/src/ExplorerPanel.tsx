import { explorerPlugin } from '@graphiql/plugin-explorer'
import { type KeyboardEvent, useEffect, useRef } from 'react'

const { content: Explorer } = explorerPlugin({ showAttribution: false })

/** GraphiQL's explorer of fields, with names for its controls, and usable by the keyboard. */
export default function ExplorerPanel() {
  const panel = useRef<HTMLElement>(null)
  useEffect(() => {
    const root = panel.current
    if (!root) return
    const observer = new MutationObserver(() => describe(root))
    observer.observe(root, { childList: true, subtree: true, attributeFilter: ['style'] })
    describe(root)
    return () => observer.disconnect()
  }, [])
  return (
    <section ref={panel} aria-label="GraphiQL Explorer" onKeyDown={toggle}>
      <Explorer />
    </section>
  )
}

function toggle(event: KeyboardEvent) {
  if (!(event.target as Element).matches(CHECKBOX) || ![' ', 'Enter'].includes(event.key)) return
  event.preventDefault()
  ;(event.target as HTMLElement).click()
}

const CHECKBOX = 'span[role=checkbox]'

function describe(root: HTMLElement) {
  for (const each of root.querySelectorAll<HTMLElement>('span[style*="cursor: pointer"]')) {
    set(each, { role: 'checkbox', tabindex: '0', 'aria-checked': String(isChosen(each)) })
  }
  for (const each of root.querySelectorAll<HTMLElement>('select, input')) set(each, { 'aria-label': nameOf(each) })
  for (const each of root.querySelectorAll<HTMLElement>('button[type=submit]')) set(each, { 'aria-label': 'Add the operation' })
}

function set(element: HTMLElement, attributes: Record<string, string>) {
  for (const [name, value] of Object.entries(attributes)) if (element.getAttribute(name) !== value) element.setAttribute(name, value)
}

/** The explorer shows it by a turned arrow, or by a mark in the circle. */
function isChosen(element: Element) {
  const icon = element.querySelector('svg')
  return Boolean(icon?.style.transform || icon?.querySelector('circle + path, circle + circle'))
}

function nameOf(element: HTMLElement) {
  if (element.closest('form')) return 'Kind of operation'
  return element.closest<HTMLElement>('[data-arg-name]')?.dataset.argName ?? element.getAttribute('placeholder') ?? 'Value'
}
