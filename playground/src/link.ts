/** Links to an operation with its variables, a panel and the job of its version history. They never hold a token. */

const PARTS = ['query', 'operation', 'variables', 'panel', 'job'] as const

export type Link = Partial<Record<(typeof PARTS)[number], string>>

export function linkTo(link: Link): string {
  const parts = PARTS.filter(part => link[part]).map(part => [part, link[part]!])
  return `${location.origin}${location.pathname}#${new URLSearchParams(parts)}`
}

function take(): Link {
  const parts = new URLSearchParams(location.hash.slice(1))
  // Reloading the page must not open the tab again.
  if (location.hash) history.replaceState(null, '', location.pathname + location.search)
  return Object.fromEntries(PARTS.flatMap(part => (parts.get(part) ? [[part, parts.get(part)]] : [])))
}

/** The link that the page was opened with. */
export const linked = take()

// The page reads a link when it is loaded.
addEventListener('hashchange', () => location.reload())
