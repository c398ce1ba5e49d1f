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
/** Options that hold a secret, or say that there is one. */
const CREDENTIALS = /(user|bearer|-cookie|-cert|-key|-pass|password)$/
/** All options of curl that take a value: a value isn't the address. */
const WITH_VALUE = new Set(
  `
  abstract-unix-socket alt-svc aws-sigv4 cacert capath cert cert-type ciphers config connect-timeout connect-to
  continue-at cookie cookie-jar create-file-mode crlfile curves data data-ascii data-binary data-raw data-urlencode
  delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url dump-header ech egd-file engine
  etag-compare etag-save expect100-timeout form form-string ftp-account ftp-alternative-to-user ftp-method ftp-port
  ftp-ssl-ccc-mode happy-eyeballs-timeout-ms haproxy-clientip header hostpubmd5 hostpubsha256 hsts interface ip-tos
  ipfs-gateway json keepalive-cnt keepalive-time key key-type krb libcurl limit-rate local-port login-options
  mail-auth mail-from mail-rcpt max-filesize max-redirs max-time netrc-file noproxy oauth2-bearer output output-dir
  parallel-max pass pinnedpubkey preproxy proto proto-default proto-redir proxy proxy-cacert proxy-capath proxy-cert
  proxy-cert-type proxy-ciphers proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass proxy-pinnedpubkey
  proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser proxy-user proxy1.0 pubkey
  quote random-file range rate referer request request-target resolve retry retry-delay retry-max-time sasl-authzid
  service-name sigalgs socks4 socks4a socks5 socks5-gssapi-service socks5-hostname speed-limit speed-time stderr
  telnet-option tftp-blksize time-cond tls-max tls13-ciphers tlsauthtype tlspassword tlsuser trace trace-ascii
  trace-config unix-socket upload-file upload-flags url url-query user user-agent variable vlan-priority write-out
`
    .trim()
    .split(/\s+/)
    .map(name => `--${name}`),
)
const SHORT: Record<string, string> = {
  ...{ A: '--user-agent', b: '--cookie', C: '--continue-at', c: '--cookie-jar', D: '--dump-header', d: '--data', E: '--cert' },
  ...{ e: '--referer', F: '--form', H: '--header', K: '--config', m: '--max-time', o: '--output', P: '--ftp-port' },
  ...{ Q: '--quote', r: '--range', T: '--upload-file', t: '--telnet-option', U: '--proxy-user', u: '--user', w: '--write-out' },
  ...{ X: '--request', x: '--proxy', Y: '--speed-limit', y: '--speed-time', z: '--time-cond' },
}

/** An address, with its scheme or without, but not a path that begins with a slash or a dot. */
const ADDRESS = /^[^/.?~][^/?]*[/?]/

/** Headers that the page or the browser sets itself, and those that name the client. */
const OWN = /^(accept.*|content-.*|sec-.*|cache-control|connection|dnt|host|origin|pragma|priority|referer|te|user-agent|upgrade-.*|x-mainsheet-trace)$/i
const CREDENTIAL = /^(?!idempotency-key$).*(auth|token|secret|key|session|[cx]srf|cookie|password|credential|jwt)/i

export function readCurl(command: string): Imported {
  const [program = '', ...words] = wordsOf(command.trim().replace(/^\$\s+/, ''))
  if (!/(^|\/)curl(\.exe)?$/.test(program)) throw new Problem('This is not a curl command: it must begin with "curl".')
  const options = [...optionsOf(words)]
  const headers = options.filter(([name]) => name === '--header').map(([, value]) => headerOf(value))
  const taken = headers.filter(([name, value]) => value && !OWN.test(name) && !CREDENTIAL.test(name))
  return {
    ...requestIn(options, headers),
    headers: taken.length ? JSON.stringify(Object.fromEntries(taken), null, 2) : '',
    hasCredentials: options.some(([name]) => CREDENTIALS.test(name)) || headers.some(([name]) => CREDENTIAL.test(name)),
  }
}

type Option = [name: string, value: string]

/** Return the options by their long names. The address is `--url`. */
function* optionsOf(words: string[]): Generator<Option> {
  const rest = [...words]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (WITH_VALUE.has(word)) yield [word, rest.shift() ?? '']
    else if (word.startsWith('--')) yield [word, '']
    else if (word.startsWith('-')) yield* shortOptions(word.slice(1), rest)
    else if (ADDRESS.test(word)) yield ['--url', word]
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
  const [, url = ''] = options.findLast(([name]) => name === '--url') ?? []
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
