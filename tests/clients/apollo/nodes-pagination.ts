import type { FieldPolicy } from '@apollo/client'

/** As `relayStylePagination`, for lists that are read by `nodes`. */
export const nodesPagination = (keyArgs: string[]): FieldPolicy => ({
  keyArgs,
  merge: (existing, incoming, { args }) =>
    args?.after ? { ...incoming, nodes: [...(existing?.nodes ?? []), ...incoming.nodes] } : incoming,
})
