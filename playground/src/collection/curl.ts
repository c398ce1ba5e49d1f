/** Read the operation of a curl command, such as the one that a browser's developer tools copy. */
import { Problem } from '../problem.ts'
import { wordsOf } from './words.ts'

export interface Imported {
  query: string
  variables: string
  operationName?: string
  headers: string
  /** Whether the command has credentials, which aren't taken. */
  hasCredentials: boolean
}

const DATA = ['--data', '--data-raw', '--data-binary', '--data-ascii', '--data-urlencode', '--json']
const CREDENTIALS = ['--user', '--oauth2-bearer', '--cookie', '--cert', '--key']
const WITH_VALUE = [
  ...[...DATA, ...CREDENTIALS, '--header', '--url', '--request', '--output', '--user-agent', '--referer', '--proxy'],
  ...['--max-time', '--connect-timeout', '--retry', '--write-out', '--cacert', '--form', '--resolve', '--dump-header'],
]
const SHORT: Record<string, string> = {
  ...{ d: '--data', H: '--header', u: '--user', b: '--cookie', X: '--request', o: '--output', A: '--user-agent', E: '--cert' },
  ...{ e: '--referer', x: '--proxy', m: '--max-time', w: '--write-out', F: '--form', D: '--dump-header', c: '--cookie-jar', K: '--config' },
}

/** Headers that the page or the browser sets itself, and those that name the client. */
const OWN = /^(accept.*|content-.*|sec-.*|cache-control|connection|dnt|host|origin|pragma|priority|referer|te|user-agent|upgrade-.*|x-mainsheet-trace)$/i
const CREDENTIAL = /^(authorization|proxy-authorization|cookie)$/i

export function readCurl(command: string): Imported {
  const [program = '', ...words] = wordsOf(command.trim().replace(/^\$\s+/, ''))
  if (!/(^|\/)curl(\.exe)?$/.test(program)) throw new Problem('This is not a curl command: it must begin with "curl".')
  const options = [...optionsOf(words)]
  const headers = options.filter(([name]) => name === '--header').map(([, value]) => headerOf(value))
  const taken = headers.filter(([name, value]) => value && !OWN.test(name) && !CREDENTIAL.test(name))
  return {
    ...requestIn(options, headers),
    headers: taken.length ? JSON.stringify(Object.fromEntries(taken), null, 2) : '',
    hasCredentials: options.some(([name]) => CREDENTIALS.includes(name)) || headers.some(([name]) => CREDENTIAL.test(name)),
  }
}

type Option = [name: string, value: string]

/** Return the options by their long names. The address is `--url`. */
function* optionsOf(words: string[]): Generator<Option> {
  const rest = [...words]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (WITH_VALUE.includes(word)) yield [word, rest.shift() ?? '']
    else if (word.startsWith('--')) yield [word, '']
    else if (word.startsWith('-')) yield* shortOptions(word.slice(1), rest)
    else if (word.includes('/')) yield ['--url', word]
  }
}

/** `-sXPOST` is `--silent --request POST`. */
function* shortOptions(letters: string, rest: string[]): Generator<Option> {
  const place = [...letters].findIndex(letter => letter in SHORT)
  if (letters.includes('G')) yield ['--get', '']
  if (place < 0) return
  yield [SHORT[letters[place]!]!, letters.slice(place + 1) || (rest.shift() ?? '')]
}

function headerOf(text: string): [string, string] {
  const [name = '', ...value] = text.split(':')
  return [name.trim(), value.join(':').trim()]
}

type Request = Pick<Imported, 'query' | 'variables' | 'operationName'>

function requestIn(options: Option[], headers: [string, string][]): Request {
  const data = options.filter(([name]) => DATA.includes(name)).map(part)
  const body = data.join('&')
  const isText = headers.some(([name, value]) => /^content-type$/i.test(name) && value.startsWith('application/graphql'))
  if (body && isText && !/^\s*\{\s*"/.test(body)) return { query: body, variables: '' }
  const fields = /^\s*[{[]/.test(body) ? parsed(body) : Object.fromEntries(parametersOf(options, body))
  return request(fields)
}

/** The text that curl sends for an option. */
function part([name, value]: Option): string {
  if (name !== '--data-raw' && value.startsWith('@')) throw new Problem('The command reads its body from a file. Paste a command that has it.')
  if (name !== '--data-urlencode') return value
  const [key = '', ...rest] = value.split('=')
  return rest.length ? `${key}=${encodeURIComponent(rest.join('='))}` : encodeURIComponent(value)
}

function parametersOf(options: Option[], body: string) {
  const [, url = ''] = options.find(([name]) => name === '--url') ?? []
  const [, search = ''] = url.split('?')
  return new URLSearchParams(`${search.replace(/#.*/, '')}&${body}`)
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new Problem("The command's body isn't JSON. Copy the command for bash, not for cmd or PowerShell.")
  }
}

function request(fields: unknown): Request {
  if (Array.isArray(fields)) throw new Problem('The command has a batch of operations. Import them one by one.')
  const { query, variables, operationName } = fields as Record<string, unknown>
  if (typeof query !== 'string' || !query.trim()) throw new Problem('The command has no text of an operation.')
  return { query, variables: textOf(variables), operationName: typeof operationName === 'string' ? operationName : undefined }
}

/** Variables are an object in a body, and a text in an address. */
function textOf(variables: unknown): string {
  if (typeof variables !== 'string') return variables ? JSON.stringify(variables, null, 2) : ''
  return variables && textOf(parsed(variables))
}
