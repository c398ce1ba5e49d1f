import { parse } from 'graphql'
import type { Asked } from './api.ts'

/** Return the operation to run, or undefined if the document doesn't parse. */
export const operationOf = ({ query, operationName }: Asked) =>
  operationsOf(query).find(node => !operationName || node.name?.value === operationName)

/** Name the only operation of the document: GraphiQL may still name the one that was there before the last key. */
export function named(asked: Asked): Asked {
  const operations = operationsOf(asked.query)
  return operations.length === 1 ? { ...asked, operationName: operations[0]?.name?.value } : asked
}

function operationsOf(query: string) {
  try {
    return parse(query).definitions.filter(node => node.kind === 'OperationDefinition')
  } catch {
    return []
  }
}

export const isMutation = (asked: Asked) => operationOf(asked)?.operation === 'mutation'
