import { parse } from 'graphql'
import type { GraphQLRequest } from './api.ts'

/** Return the operation to run, or undefined if the document doesn't parse. */
export const operationOf = ({ query, operationName }: GraphQLRequest) =>
  operationsOf(query).find(node => !operationName || node.name?.value === operationName)

/** If the document has one operation, request it by name: GraphiQL's own name may be outdated after an edit. */
export function named(graphQLRequest: GraphQLRequest): GraphQLRequest {
  const operations = operationsOf(graphQLRequest.query)
  return operations.length === 1 ? { ...graphQLRequest, operationName: operations[0]?.name?.value } : graphQLRequest
}

function operationsOf(query: string) {
  try {
    return parse(query).definitions.filter(node => node.kind === 'OperationDefinition')
  } catch {
    return []
  }
}

export const isMutation = (graphQLRequest: GraphQLRequest) => operationOf(graphQLRequest)?.operation === 'mutation'

export const isSubscription = (graphQLRequest: GraphQLRequest) => operationOf(graphQLRequest)?.operation === 'subscription'
