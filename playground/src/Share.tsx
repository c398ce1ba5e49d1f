import { Button, Dialog, DropdownMenu, useGraphiQL } from '@graphiql/react'
import { parse, type ParseError } from 'jsonc-parser'
import { useRef, useState } from 'react'
import { codeOf, LANGUAGES } from './code.ts'
import { historyOf } from './historyOf.ts'
import { linkTo } from './link.ts'
import { named } from './operations.ts'

interface Shared {
  title: string
  text: string
}

/** A menu with the tab's operation as a link or as code. */
export function Share() {
  const [shared, share] = useState<Shared>()
  const { query, variables, operationName, panel } = useGraphiQL(state => ({
    query: state.queryEditor,
    variables: state.variableEditor,
    operationName: state.operationName,
    panel: state.visiblePlugin?.title,
  }))
  const request = () => named({ query: query?.getValue() ?? '', variables: parsed(variables?.getValue()), operationName })
  const link = () =>
    linkTo({ query: query?.getValue(), variables: variables?.getValue(), operation: operationName, panel, job: historyOf.get() })
  return (
    <>
      <DropdownMenu>
        <DropdownMenu.Button className="graphiql-toolbar-button" aria-label="Share this operation" title="Share this operation">
          <svg className="graphiql-toolbar-icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" aria-hidden="true">
            <path d="M12 15V4M8 8l4-4 4 4M5 12v8h14v-8" />
          </svg>
        </DropdownMenu.Button>
        <DropdownMenu.Content align="start">
          <DropdownMenu.Item onSelect={() => share({ title: 'Link', text: link() })}>Link</DropdownMenu.Item>
          {LANGUAGES.map(language => (
            <DropdownMenu.Item
              key={language}
              onSelect={() => share({ title: language, text: codeOf(language, location.origin + location.pathname, request()) })}
            >
              {language}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu>
      <Dialog open={shared !== undefined} onOpenChange={isOpen => isOpen || share(undefined)}>
        {shared && <Text {...shared} />}
      </Dialog>
    </>
  )
}

/** Return the variables as GraphiQL reads them: with comments and trailing commas. */
function parsed(variables = ''): unknown {
  const errors: ParseError[] = []
  const value: unknown = parse(variables, errors, { allowTrailingComma: true, allowEmptyContent: true })
  return errors.length ? {} : (value ?? {}) // the editor marks the errors
}

function Text({ title, text }: Shared) {
  const area = useRef<HTMLTextAreaElement>(null)
  const [isCopied, setCopied] = useState(false)
  const copy = () => {
    area.current?.select()
    setCopied(document.execCommand('copy')) // `navigator.clipboard` is missing on pages without TLS
  }
  return (
    <div className="question shared">
      <div className="graphiql-dialog-header">
        <Dialog.Title className="graphiql-dialog-title">{title}</Dialog.Title>
      </div>
      <textarea ref={area} aria-label={title} readOnly rows={Math.min(20, text.split('\n').length + 1)} value={text} />
      <p>It has no token. {title === 'Link' ? 'Each user of the link needs their own.' : 'It reads one from MAINSHEET_TOKEN.'}</p>
      <div className="buttons">
        <Button type="button" onClick={copy}>
          Copy
        </Button>
        <span role="status">{isCopied && 'Copied.'}</span>
      </div>
      <Dialog.Close />
    </div>
  )
}
