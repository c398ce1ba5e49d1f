/** Variables of the examples' tabs: in the demo they have ids of its objects, elsewhere placeholders. */
import { ask } from './api.ts'
import { type Example, examples } from './examples.ts'
import { identity, isDemo, ready } from './identity.ts'
import { type Blank, resolveNames } from './placeholders.ts'
import { keptObject, lasting, tryToKeep } from './storage.ts'

const FILLED = 'mainsheet:filled'

const LOOK_UP = `query LookUp($jobKey: String!) {
  jobByKey(jobKey: $jobKey) { id }
  jobs(limit: 1, filter: { hasDraft: false }) { nodes { id } }
  teams { nodes { id name } }
}`

interface Found {
  jobByKey: { id: string } | null
  jobs: { nodes: { id: string }[] }
  teams: { nodes: { id: string; name: string }[] }
}

/** The variables filled into each example's tab last. A tab with other variables was edited. */
const load = () => keptObject(lasting.getItem(FILLED))
const save = (title: string, text: string) => tryToKeep(lasting, FILLED, JSON.stringify({ ...load(), [title]: text }))

/** Return the variables for the tab. An edited tab keeps its own. */
export async function fill(query: string, variables: string): Promise<string> {
  await ready
  const example = examples.find(each => each.query === query)
  if (!example || ![example.variables, load()[example.title]].includes(variables)) return variables
  if (!isDemo(identity.get())) return example.variables
  return fillForDemo(example)
}

async function fillForDemo({ title, template }: Example) {
  const filled = await resolveNames(template, lookUp)
  save(title, filled)
  return filled
}

/** Return the id of the demo's object. A member who can't see it gets the first object that they can see. */
async function lookUp({ by, kind }: Blank, name: string): Promise<string | number> {
  if (by === 'number') return Number(name)
  if (by === 'key') return name
  const found = await ask<Found>(LOOK_UP, { jobKey: kind === 'job' ? name : 'none' })
  const { nodes } = found.teams
  const object = kind === 'job' ? (found.jobByKey ?? found.jobs.nodes[0]) : (nodes.find(each => each.name === name) ?? nodes[0])
  return object?.id ?? `<id of a ${kind}>`
}
