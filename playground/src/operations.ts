import { parse } from 'graphql'
import type { Asked } from './api.ts'

/** Return the operation to run, or undefined if the document doesn't parse. */
export function operationOf({ query, operationName }: Asked) {
  try {
    const operations = parse(query).definitions.filter(node => node.kind === 'OperationDefinition')
    return operations.find(node => !operationName || node.name?.value === operationName)
  } catch {
    return undefined
  }
}

export const isMutation = (asked: Asked) => operationOf(asked)?.operation === 'mutation'
