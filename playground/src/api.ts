import { currentToken, identity, ready } from './identity.ts'

export interface Asked {
  query: string
  variables?: unknown
  operationName?: string | null
}

export interface Answer {
  data?: unknown
  errors?: { message: string }[]
  extensions?: Record<string, unknown>
}

/** Send one operation as the chosen member. The page and the API have one address. */
export async function send(asked: Asked, headers: Record<string, string> = {}) {
  await ready
  const token = currentToken(identity.get())
  const response = await fetch(location.pathname, {
    method: 'POST',
    headers: {
      Accept: 'application/graphql-response+json, application/json',
      'Content-Type': 'application/json',
      ...(token && { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify(asked),
  })
  const text = await response.text()
  return { answer: JSON.parse(text) as Answer, bytes: new Blob([text]).size }
}

/** Return the data, or throw what went wrong. */
export async function ask<T>(query: string, variables?: object): Promise<T> {
  const { answer } = await send({ query, variables })
  if (answer.errors?.length) throw new Error(answer.errors.map(error => error.message).join(' '))
  return answer.data as T
}
