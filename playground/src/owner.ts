import { ask } from './api.ts'
import { identity, type Owner, setToken } from './identity.ts'
import { Problem } from './problem.ts'

const OWNER = `query TokenOwner { me { actor { displayName organizationRole } organization { name } } }`

interface Found {
  me: { actor: { displayName: string; organizationRole: string }; organization: { name: string } }
}

/** Return the token's owner. Throws a `Problem` if the server refuses it. */
export async function ownerOf(token: string): Promise<Owner> {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Problem('A token is one word without spaces, of letters, digits and punctuation. Copy it again.')
  const { actor, organization } = (await ask<Found>(OWNER, {}, { token })).me
  return { name: actor.displayName, role: `${actor.organizationRole} of ${organization.name}` }
}

/** Load the owner of a token that was kept over a reload. */
export async function nameOwner() {
  const { token } = identity.get()
  if (!token) return
  const owner = await ownerOf(token).catch(() => undefined) // the next operation shows the problem
  if (owner && identity.get().token === token) setToken(token, owner)
}
