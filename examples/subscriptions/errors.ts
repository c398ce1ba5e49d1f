/** What to do about the errors of a subscription to the feed. */

/** A cursor, or null for the events from now on. */
export type After = string | null

export interface Refusal {
  message: string
  extensions?: Record<string, unknown>
}

/** The server refused the subscription, and would refuse it again. */
export class Refused extends Error {}

const PASSING = new Set<unknown>(['INTERNAL_SERVER_ERROR', 'TIMEOUT', 'OVERLOADED', 'RATE_LIMITED'])

/** Return after which cursor to subscribe again: the same one, or none if it has expired. Throws `Refused`. */
export function goOn(errors: readonly Refusal[], after: After): After {
  const codes = errors.map(each => each.extensions?.code)
  const expired = errors[codes.indexOf('CURSOR_EXPIRED')]
  if (expired) {
    console.warn(`Events were lost; going on from now. Those that are left follow ${expired.extensions?.oldestCursor}.`)
    return null
  }
  if (codes.every(each => PASSING.has(each))) return after
  throw new Refused(errors.map(each => each.message).join(' '))
}

export const report = (error: Error) => console.error(`The subscription ended: ${error.message}`)
