import { session, tryToKeep } from './storage.ts'
import { Store } from './store.ts'

export interface Member {
  email: string
  name: string
  role: string
  token: string
}

/** The owner of a pasted token. */
export interface Owner {
  name: string
  role: string
}

export interface Identity {
  members: readonly Member[]
  member?: Member
  /** Pasted by the user. Kept until the browser tab is closed. */
  token?: string
  owner?: Owner
}

const MEMBER = 'mainsheet:member'
const TOKEN = 'mainsheet:token'

export const identity = new Store<Identity>({ members: [], token: session.getItem(TOKEN) ?? undefined })

/** Return the demo's members, an empty list outside a demo, or undefined if the server is unreachable. */
async function load(): Promise<Member[] | undefined> {
  try {
    const response = await fetch('./playground/members', { headers: { 'X-Mainsheet-Playground': '1' } })
    return response.ok ? ((await response.json()) as Member[]) : undefined
  } catch {
    return undefined
  }
}

function take(members: readonly Member[] = identity.get().members) {
  const email = identity.get().member?.email ?? session.getItem(MEMBER)
  const { token, owner } = identity.get()
  const member = token ? undefined : (members.find(each => each.email === email) ?? members[0])
  identity.set({ members, member, token, owner })
}

export const ready = load().then(take)

/** A demo that is starting has no members yet. */
const renew = (members?: Member[]) => take(members?.length ? members : undefined)

let renewing: Promise<void> | undefined

/** Return whether the same member has a new token: a demo creates new ones at each start. */
export async function isRenewed(refused: Identity): Promise<boolean> {
  if (!refused.token) await (renewing ??= load().then(renew).finally(() => (renewing = undefined)))
  const now = identity.get()
  return personOf(now) === personOf(refused) && currentToken(now) !== currentToken(refused)
}

export function chooseMember(member: Member) {
  tryToKeep(session, MEMBER, member.email)
  session.removeItem(TOKEN)
  identity.set({ members: identity.get().members, member })
}

/** Use the token, or none if it is omitted. */
export function setToken(token?: string, owner?: Owner) {
  if (token) tryToKeep(session, TOKEN, token)
  else session.removeItem(TOKEN)
  identity.set({ members: identity.get().members, token, owner })
}

export const isDemo = ({ members }: Identity) => members.length > 0

export const currentToken = ({ member, token }: Identity) => token ?? member?.token

/** The sender's identity, which is the same for all tokens that a demo creates for a member. */
export const personOf = ({ member, token }: Identity) => token ?? member?.email ?? ''
