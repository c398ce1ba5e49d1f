/** The headers of a request. Their names are compared without regard to case, as HTTP does. */
import { Problem } from './problem.ts'

/** Headers as the user wrote them in the editor. */
export type Written = Record<string, unknown>

/** Return the headers, checked. Throws a `Problem` if the browser can't send one of them. */
export function written(headers: Written): Headers {
  const valid = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    try {
      valid.set(name, String(value))
    } catch {
      throw new Problem(`Nothing was sent: the header ${JSON.stringify(name)} isn't valid. ${RULE}`)
    }
  }
  return valid
}

const RULE = 'A name has no spaces, and a value is one line without characters such as typographic quotes.'

/** Add headers of the page. Those that are there already stay. */
export function withOwn(headers: Headers, own: Record<string, string>): Headers {
  const all = new Headers(own)
  headers.forEach((value, name) => all.set(name, value))
  return all
}
