import { Store } from './store.ts'

export interface Member {
  email: string
  name: string
  role: string
  token: string
}

export interface Identity {
  members: readonly Member[]
  member?: Member
  /** Pasted by the visitor; kept until the browser's tab is closed. */
  token?: string
}

const MEMBER = 'mainsheet:member'
const TOKEN = 'mainsheet:token'

export const identity = new Store<Identity>({ members: [], token: sessionStorage.getItem(TOKEN) ?? undefined })

/** Only a demo has members to choose from. */
export const ready = fetch('./playground/members', { headers: { 'X-Mainsheet-Playground': '1' } })
  .then(response => (response.ok ? (response.json() as Promise<Member[]>) : []))
  .catch(() => [])
  .then(members => {
    const email = sessionStorage.getItem(MEMBER)
    const { token } = identity.get()
    const member = token ? undefined : (members.find(each => each.email === email) ?? members[0])
    identity.set({ members, member, token })
  })

export function become(member: Member) {
  sessionStorage.setItem(MEMBER, member.email)
  sessionStorage.removeItem(TOKEN)
  identity.set({ members: identity.get().members, member })
}

export function bringToken(token: string) {
  if (token) sessionStorage.setItem(TOKEN, token)
  else sessionStorage.removeItem(TOKEN)
  identity.set({ members: identity.get().members, token: token || undefined })
}

export const isDemo = ({ members }: Identity) => members.length > 0

export const currentToken = ({ member, token }: Identity) => token ?? member?.token
