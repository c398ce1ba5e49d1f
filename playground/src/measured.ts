import type { Fetcher } from '@graphiql/toolkit'
import { type Answer, send } from './api.ts'
import { permitted } from './permission.ts'
import { Store } from './store.ts'

export interface Statement {
  level: number
  fields: string[]
  keys: number | null
  milliseconds: number
  sql: string
}

export interface Cost {
  cost: number
  fields: number
  depth: number
  limits: { cost: number; fields: number; depth: number }
  milliseconds: number
  statements: Statement[]
}

export interface Measured {
  turn: number
  operation: string
  milliseconds: number
  bytes: number
  cost?: Cost
}

export const measured = new Store<Measured | undefined>(undefined)
export const tracing = new Store(false)

/** What the editor sends goes through here; the trace is shown in its panel, not in the response. */
export const fetcher: Fetcher = async (wanted, options) => {
  const asked = await permitted(wanted)
  if (!asked) return { errors: [{ message: 'Nothing was sent.' }] } as never
  const isTraced = tracing.get() && asked.operationName !== 'IntrospectionQuery'
  const headers = { ...(options?.headers as Record<string, string>), ...(isTraced && { 'X-Mainsheet-Trace': '1' }) }
  const begin = performance.now()
  const { answer, bytes } = await send(asked, headers)
  if (asked.operationName === 'IntrospectionQuery') return answer as never
  const { cost, ...extensions } = (answer.extensions ?? {}) as { cost?: Cost }
  const turn = (measured.get()?.turn ?? 0) + 1
  measured.set({ turn, operation: asked.operationName ?? 'Operation', milliseconds: performance.now() - begin, bytes, cost })
  return withExtensions(answer, extensions) as never
}

function withExtensions({ extensions: _all, ...answer }: Answer, extensions: object) {
  return Object.keys(extensions).length ? { ...answer, extensions } : answer
}
