import { blank } from './placeholders.ts'

const files = import.meta.glob<string>('../examples/*', { query: '?raw', import: 'default', eager: true })

export interface Example {
  title: string
  about: string
  query: string
  /** The variables, with names of the demo's objects. */
  template: string
  /** The same variables, naming no object. */
  variables: string
}

/** The first comment line of a file is its title, the others are its description. */
function read(path: string, query: string): Example {
  const [title = '', ...about] = query.slice(0, query.indexOf('\n\n')).replace(/^# ?/gm, '').split('\n')
  const template = files[path.replace('.graphql', '.json')] ?? ''
  return { title, about: about.join(' ').trim(), query, template, variables: blank(template) }
}

export const examples = Object.entries(files)
  .filter(([path]) => path.endsWith('.graphql'))
  .map(([path, query]) => read(path, query))
