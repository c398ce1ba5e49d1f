/** The variables of examples name objects of the demo: `"<id of job low-stock-alert>"`.
 *
 * Only the demo fills these in automatically. Elsewhere they are placeholders, `"<id of a job>"`, which the user replaces.
 */

export type Kind = 'job' | 'team' | 'version'

export interface Blank {
  /** The text between the quotes: `<id of a job>`. */
  text: string
  /** The value for the object. */
  by: 'id' | 'key' | 'number'
  kind: Kind
}

const NAMED = /"<(id|key|number) of (job|team|version) ([^>]+)>"/g
const BLANK = /"(<(id|key|number) of a (job|team|version)>)"/g

export const blank = (template: string) => template.replace(NAMED, '"<$1 of a $2>"')

/** Replace each named object by the result of `resolve`. */
export async function resolveNames(template: string, resolve: (blank: Blank, name: string) => Promise<string | number>) {
  let text = template
  for (const [match, by, kind, name = ''] of template.matchAll(NAMED))
    text = text.replaceAll(match, JSON.stringify(await resolve({ text: match, by, kind } as Blank, name)))
  return text
}

/** Return the distinct placeholders in the text. */
export function blanks(text: string): Blank[] {
  const found = [...text.matchAll(BLANK)].map(([, text, by, kind]) => ({ text, by, kind }) as Blank)
  return [...new Map(found.map(each => [each.text, each])).values()]
}

export type Chosen = ReadonlyMap<string, string | number>

export const fillBlanks = (text: string, chosen: Chosen) =>
  text.replace(BLANK, (match, text: string) => JSON.stringify(chosen.get(text)) ?? match)
