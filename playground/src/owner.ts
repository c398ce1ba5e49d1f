import { send } from './api.ts'
import { identity, type Owner, setToken } from './identity.ts'
import { Problem } from './problem.ts'

const OWNER = `query TokenOwner { me { actor { displayName organizationRole } organization { name } } }`

interface Found {
  me: { actor: { displayName: string; organizationRole: string }; organization: { name: string } }
}

/** Return the token's owner, or undefined if the token may not query it. Throws a `Problem` if the token is refused. */
export async function ownerOf(token: string): Promise<Owner | undefined> {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Problem('A token is one word without spaces, of letters, digits and punctuation. Copy it again.')
  const { data, errors } = await send({ query: OWNER }, { token })
  const refusals = errors?.filter(({ extensions }) => extensions?.code !== 'SCOPE_MISSING') ?? []
  if (refusals.length) throw new Problem(refusals.map(({ message }) => message).join(' '))
  return errors?.length ? undefined : named(data as Found)
}

const named = ({ me: { actor, organization } }: Found): Owner => ({
  name: actor.displayName,
  role: `${actor.organizationRole} of ${organization.name}`,
})

/** Load the owner of a token that was kept over a reload. */
export async function nameOwner() {
  const { token } = identity.get()
  if (!token) return
  const owner = await ownerOf(token).catch(() => undefined) // the next operation shows the problem
  if (owner && identity.get().token === token) setToken(token, owner)
}
