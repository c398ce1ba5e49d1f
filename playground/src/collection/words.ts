import { Problem } from '../problem.ts'

const PARTS = {
  space: /[ \t\r\n]+/y,
  continued: /\\\r?\n/y,
  end: /[|;>]/y,
  escaped: /\$'((?:[^'\\]|\\[^])*)'/y,
  literal: /'([^']*)'/y,
  quoted: /"((?:[^"\\]|\\[^])*)"/y,
  character: /\\([^])/y,
  plain: /([^ \t\r\n'"\\|;>$]+|\$)/y,
}

const CONTROLS: Record<string, string> = { a: '\x07', b: '\b', e: '\x1b', E: '\x1b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

const ESCAPE = /((?:\\x[\da-fA-F]{1,2}|\\[0-7]{1,3})+)|\\u([\da-fA-F]{1,4})|\\U([\da-fA-F]{1,8})|\\([^])/g

const unescaped = (text: string) =>
  text.replace(ESCAPE, (_, bytes?: string, u?: string, long?: string, one?: string) => {
    if (bytes) return decoded(bytes)
    return one ? (CONTROLS[one] ?? one) : characterOf(parseInt(u ?? long ?? '', 16))
  })

const characterOf = (code: number) => (code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd')

/** `\303\251` and `\xc3\xa9` are the bytes of é. */
function decoded(bytes: string) {
  const numbers = bytes.slice(1).split('\\').map(each => (each.startsWith('x') ? parseInt(each.slice(1), 16) : parseInt(each, 8)))
  return new TextDecoder().decode(new Uint8Array(numbers))
}

/** Return the words of the first command of a line, as a POSIX shell or bash splits it. Variables stay as they are. */
export function wordsOf(command: string): string[] {
  const words: string[] = []
  let isInside = false
  for (let position = 0; position < command.length; ) {
    const [kind, text, length] = partAt(command, position)
    position += length
    if (kind === 'end') break
    if (kind === 'continued') continue
    if (kind !== 'space') words.push((isInside ? words.pop() : '') + text)
    isInside = kind !== 'space'
  }
  return words
}

function partAt(command: string, position: number): [keyof typeof PARTS, string, number] {
  for (const [kind, pattern] of Object.entries(PARTS) as [keyof typeof PARTS, RegExp][]) {
    pattern.lastIndex = position
    const match = pattern.exec(command)
    if (!match) continue
    const [all, text = ''] = match
    if (kind === 'escaped') return [kind, unescaped(text), all.length]
    return [kind, kind === 'quoted' ? text.replace(/\\(["\\$`])|\\\n/g, '$1') : text, all.length]
  }
  throw new Problem('The command ends within quotes. Copy all of it.')
}
