import { Button, ChevronDownIcon, Dialog, DropdownMenu } from '@graphiql/react'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { chooseMember, type Identity, identity, type Owner, setToken } from './identity.ts'
import { askingForToken } from './Notice.tsx'
import { ownerOf } from './owner.ts'
import { useStore } from './store.ts'

export function MemberMenu() {
  const isAsking = useStore(askingForToken)
  const who = useStore(identity)
  const openDialog = () => askingForToken.set(true)
  return (
    <>
      {who.members.length ? <Members who={who} openDialog={openDialog} /> : <Guest who={who} openDialog={openDialog} />}
      <Dialog open={isAsking} onOpenChange={askingForToken.set}>
        <TokenForm close={() => askingForToken.set(false)} />
      </Dialog>
    </>
  )
}

function Guest({ who, openDialog }: { who: Identity; openDialog: () => void }) {
  return (
    <Button className={`who ${who.token ? '' : 'who-unknown'}`} onClick={openDialog}>
      {who.owner ? <Face person={who.owner} /> : who.token ? 'Token set' : 'Set a token'}
    </Button>
  )
}

function Members({ who, openDialog }: { who: Identity; openDialog: () => void }) {
  return (
    <DropdownMenu>
      <DropdownMenu.Button className="who">
        <span className="hidden-text">You are </span>
        {who.member || who.owner ? <Face person={who.member ?? who.owner!} /> : <span className="who-name">Your own token</span>}
        <ChevronDownIcon aria-hidden="true" />
      </DropdownMenu.Button>
      <DropdownMenu.Content align="end" className="who-menu">
        {who.members.map(member => (
          <DropdownMenu.Item
            key={member.email}
            textValue={member.name}
            onSelect={() => chooseMember(member)}
            aria-current={member === who.member}
          >
            <Face person={member} />
          </DropdownMenu.Item>
        ))}
        <DropdownMenu.Item onSelect={openDialog}>Another token …</DropdownMenu.Item>
      </DropdownMenu.Content>
    </DropdownMenu>
  )
}

function Face({ person: { name, role } }: { person: Owner }) {
  const initials = [...name.replace(/(\p{L})\p{L}*\s*/gu, '$1')].slice(0, 2).join('')
  return (
    <>
      <span className="who-face" aria-hidden="true">
        {initials}
      </span>
      <span className="who-name">
        {name}
        <small>{role}</small>
      </span>
    </>
  )
}

function TokenForm({ close }: { close: () => void }) {
  const [problem, setProblem] = useState<string>()
  const isOpen = useRef(true)
  useEffect(() => {
    isOpen.current = true
    return () => {
      isOpen.current = false
    }
  }, [])
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const token = String(new FormData(event.currentTarget).get('token')).trim().replace(/^Bearer\s+/i, '')
    try {
      const owner = token ? await ownerOf(token) : undefined
      if (!isOpen.current) return // the user has cancelled it
      setToken(token || undefined, owner)
      close()
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  return (
    <form className="token" onSubmit={submit}>
      <div className="graphiql-dialog-header">
        <Dialog.Title className="graphiql-dialog-title">Your bearer token</Dialog.Title>
      </div>
      <p>
        Create one with <code>mainsheet token create</code>, or use a JWT of your issuer. The token is kept until this browser
        tab is closed, and sent only to this server.
      </p>
      {problem && <p role="alert">{problem}</p>}
      <input name="token" type="password" aria-label="Token" autoComplete="off" spellCheck={false} />
      <Button type="submit">Use it</Button>
      <Dialog.Close />
    </form>
  )
}
