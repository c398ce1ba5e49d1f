import { keepingConsistency } from './consistency.ts'
import { withOwn } from './headers.ts'
import { currentToken, identity, isRenewed, ready } from './identity.ts'
import { foreign, refusedToken, stopped, unreachable } from './problem.ts'

export interface GraphQLRequest {
  query: string
  variables?: unknown
  operationName?: string | null
}

export interface Answer {
  data?: unknown
  errors?: { message: string; extensions?: { code?: string } }[]
  extensions?: Record<string, unknown>
}

export interface Options {
  headers?: Headers
  signal?: AbortSignal
  isMutation?: boolean
  /** Send it by GET, so that the browser keeps the response for as long as the server confirms it. */
  isCached?: boolean
  /** A token to use instead of the chosen member's. */
  token?: string
}

/** Send one operation as the chosen member. Throws a `Problem` if the response isn't GraphQL.
 *
 * The page and the API have the same address.
 */
export async function send(graphQLRequest: GraphQLRequest, options: Options = {}): Promise<Answer> {
  await ready
  const sender = identity.get()
  const token = options.token ?? currentToken(sender)
  const { response, text } = await exchange(graphQLRequest, options, token)
  if (response.status === 401) {
    if (!options.token && (await isRenewed(sender))) return send(graphQLRequest, options)
    throw refusedToken(token !== undefined || options.headers?.has('Authorization') === true)
  }
  return parsed(text) ?? fail(foreign(response, options.isMutation ?? false))
}

async function exchange(graphQLRequest: GraphQLRequest, options: Options, token?: string) {
  const { signal, isMutation = false } = options
  try {
    const request = options.isCached ? get : post
    const response = await keepingConsistency(isMutation, () => request(graphQLRequest, options, token))
    return { response, text: await response.text() }
  } catch {
    throw signal?.aborted ? stopped(isMutation) : unreachable(isMutation)
  }
}

const headersOf = ({ headers = new Headers() }: Options, token?: string, own: Record<string, string> = {}) =>
  withOwn(headers, {
    Accept: 'application/graphql-response+json, application/json',
    ...(token && { Authorization: `Bearer ${token}` }),
    ...own,
  })

const post = (graphQLRequest: GraphQLRequest, options: Options, token?: string) =>
  fetch(location.pathname, {
    method: 'POST',
    signal: options.signal ?? null,
    headers: headersOf(options, token, { 'Content-Type': 'application/json' }),
    body: JSON.stringify(graphQLRequest),
  })

function get({ query, operationName }: GraphQLRequest, options: Options, token?: string) {
  const parameters = new URLSearchParams({ query, ...(operationName && { operationName }) })
  return fetch(`${location.pathname}?${parameters}`, { signal: options.signal ?? null, headers: headersOf(options, token) })
}

function parsed(text: string): Answer | undefined {
  try {
    const answer = JSON.parse(text) as unknown
    return typeof answer === 'object' && answer && ('data' in answer || 'errors' in answer) ? (answer as Answer) : undefined
  } catch {
    return undefined
  }
}

function fail(problem: Error): never {
  throw problem
}

/** Return the data, or throw a `Problem`. */
export async function ask<T>(query: string, variables?: object, options?: Options): Promise<T> {
  const answer = await send({ query, variables }, options)
  if (answer.errors?.length) throw new Error(answer.errors.map(error => error.message).join(' '))
  return answer.data as T
}
