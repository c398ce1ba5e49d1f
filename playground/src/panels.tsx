import type { GraphiQLPlugin } from '@graphiql/react'
import { type ComponentType, lazy, Suspense } from 'react'
import { Boundary } from './Boundary.tsx'
import { NOT_LOADED } from './chunks.tsx'
import { Examples } from './panels/Examples.tsx'

const icon = (path: string) => () => (
  <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
    <path d={path} />
  </svg>
)

function later(load: () => Promise<{ default: ComponentType }>): ComponentType {
  const Panel = lazy(() =>
    load().catch(() => {
      throw NOT_LOADED
    }),
  )
  return () => (
    <Suspense fallback={<p className="quiet">Loading …</p>}>
      <Panel />
    </Suspense>
  )
}

/** Keep the editors if the panel fails. */
export function guarded({ content: Content, ...plugin }: GraphiQLPlugin): GraphiQLPlugin {
  const content = () => (
    <Boundary>
      <Content />
    </Boundary>
  )
  return { ...plugin, content }
}

export const EXAMPLES: GraphiQLPlugin = {
  title: 'Examples',
  icon: icon('M12 3v12H4c4-3 7-7 8-12zM14 7c3 2 5 5 6 8h-6zM3 18h18c-1.500 2-3.500 3-6 3H9c-2.500 0-4.500-1-6-3z'),
  content: Examples,
}

export const FIELDS: GraphiQLPlugin = {
  title: 'GraphiQL Explorer',
  icon: icon('M4 5h5l2 3h9v11H4zM4 11h16M12 13v5M9.500 15.500h5'),
  content: later(() => import('./ExplorerPanel.tsx')),
}

export const VERSIONS: GraphiQLPlugin = {
  title: 'Version History',
  icon: icon('M7 8v8M7 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7 20a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM17 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM17 10c0 4-6 2-9 6'),
  content: later(() => import('./panels/Versions.tsx')),
}

export const COST: GraphiQLPlugin = {
  title: 'Cost',
  icon: icon('M4 18a9 9 0 1 1 16 0M12 15l4-6M12 15a1.200 1.200 0 1 0 .010 0'),
  content: later(() => import('./panels/Cost.tsx')),
}

export const TABLE: GraphiQLPlugin = {
  title: 'Table',
  icon: icon('M4 5h16v14H4zM4 10h16M4 14.500h16M10 5v14'),
  content: later(() => import('./panels/Table.tsx')),
}

export const ACTIVITY: GraphiQLPlugin = {
  title: 'Activity',
  icon: icon('M3 12h4l3-8 4 16 3-8h4'),
  content: later(() => import('./panels/Activity.tsx')),
}

export const COLLECTION: GraphiQLPlugin = {
  title: 'Collection',
  icon: icon('M7 4h10v16l-5-4-5 4z'),
  content: later(() => import('./collection/Collection.tsx')),
}
