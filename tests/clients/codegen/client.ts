import assert from 'node:assert/strict'
import { PROBLEM } from './documents.ts'
import type { ProblemFragment, TypedDocumentString } from './generated/graphql.ts'
import { type FragmentType, unmasked } from './generated/index.ts'

type Kind = ProblemFragment['__typename']
type Payload = { userErrors: readonly FragmentType<typeof PROBLEM>[] }

export const answered = new Set<string>()
export const met = new Set<Kind>()

/** Ask as whoever owns the token. */
export const as =
  (token: string) =>
  async <Result extends object, Variables>(document: TypedDocumentString<Result, Variables>, variables: Variables) => {
    const response = await fetch(process.env.URL!, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ query: document, variables }),
    })
    const { data, errors } = (await response.json()) as { data: Result; errors?: unknown }
    assert.equal(errors, undefined)
    Object.keys(data).forEach(field => answered.add(field))
    return data
  }

export function accepted<T extends Payload>(payload: T): T {
  assert.deepEqual(problems(payload), [])
  return payload
}

/** Return the one problem of that kind, as its concrete type. */
export function refused<K extends Kind>(payload: Payload, kind: K, ...path: string[]) {
  const own = problems(payload).filter((each): each is Extract<ProblemFragment, { __typename: K }> => each.__typename === kind)
  const [problem] = own.filter(each => each.path.join() === path.join())
  assert.ok(problem, `no ${kind} at ${path} among ${JSON.stringify(payload.userErrors)}`)
  met.add(kind)
  return problem
}

const problems = ({ userErrors }: Payload) => unmasked(PROBLEM, userErrors)
