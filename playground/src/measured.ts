import type { Answer, GraphQLRequest } from './api.ts'
import { operationOf } from './operations.ts'
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
  operation: string
  milliseconds: number
  bytes: number
  cost?: Cost
}

export const measured = new Store<Measured | undefined>(undefined)
export const tracing = new Store(false)

/** The reason if the last operation was refused before it ran. */
export const refusals = new Store<string[]>([])

/** Store the operation's cost and return the response without it. */
export function measure(graphQLRequest: GraphQLRequest, { extensions, ...rest }: Answer, milliseconds: number): Answer {
  const { cost, ...others } = (extensions ?? {}) as { cost?: Cost }
  const answer = { ...rest, ...(Object.keys(others).length && { extensions: others }) }
  const bytes = new Blob([JSON.stringify(answer)]).size
  if ('data' in answer) measured.set({ operation: operationOf(graphQLRequest)?.name?.value ?? 'Unnamed', milliseconds, bytes, cost })
  refusals.set('data' in answer ? [] : (answer.errors ?? []).map(error => error.message))
  return answer
}
