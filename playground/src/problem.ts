/** A failure in one sentence, with a remedy. */
export class Problem extends Error {
  readonly remedy?: 'token' | 'reload'

  constructor(message: string, remedy?: 'token' | 'reload') {
    super(message)
    this.remedy = remedy
  }
}

const MAYBE_DONE = 'The mutation may have been executed anyway: check before you run it again.'

export const stopped = (isMutation: boolean) => new Problem(`Stopped. ${isMutation ? MAYBE_DONE : 'Nothing was changed.'}`)

export const unreachable = (isMutation: boolean) =>
  new Problem(`The server can't be reached. ${isMutation ? MAYBE_DONE : 'Check that it is running, then run the operation again.'}`)

/** A response that isn't GraphQL, such as a proxy's while the server is unreachable. */
export function foreign({ status, statusText }: Response, isMutation: boolean) {
  const what = `${status} ${statusText}`.trim()
  if (status < 500) return new Problem(`The answer (${what}) isn't from a GraphQL server. Check that the proxy forwards this address to Mainsheet.`)
  const next = isMutation ? MAYBE_DONE : 'Wait a moment, then run the operation again.'
  return new Problem(`A proxy answered ${what} because it can't reach the server. ${next}`)
}

export const refusedToken = (hasToken: boolean) =>
  hasToken
    ? new Problem('The server refuses your token: it has expired, was revoked, or belongs to another server. Set another one.', 'token')
    : new Problem('The server needs a token. Set yours.', 'token')
