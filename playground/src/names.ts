/** Ids differ in each database: examples name what they mean, and the names become ids for whoever looks. */
import { ask } from './api.ts'

type Id = string
type Known = Record<string, Id[]>

const NAME = /<id of (job|team|cluster) ([^>]+)>/g
const KNOWN = 'mainsheet:ids'

const LOOK_UP = `query LookUp($jobKey: String!) {
  jobByKey(jobKey: $jobKey) { id }
  jobs(limit: 1, filter: { hasDraft: false }) { nodes { id } }
  teams { nodes { id name } }
  clusters { nodes { id name } }
}`

interface Found {
  jobByKey: { id: Id } | null
  jobs: { nodes: { id: Id }[] }
  teams: { nodes: { id: Id; name: string }[] }
  clusters: { nodes: { id: Id; name: string }[] }
}

const load = (): Known => JSON.parse(localStorage.getItem(KNOWN) ?? '{}') as Known
const save = (known: Known) => localStorage.setItem(KNOWN, JSON.stringify(known))

/** Return the text with each name, and each id that stood for it before, replaced by the id of today. */
export async function fill(text: string): Promise<string> {
  const known = load()
  const named = [...text.matchAll(NAME)].map(([name]) => name)
  const before = Object.keys(known).filter(name => known[name]?.some(id => text.includes(`"${id}"`)))
  for (const name of new Set([...named, ...before])) {
    const id = await idOf(name)
    if (!id) continue
    for (const old of [name, ...(known[name] ?? [])]) text = text.replaceAll(`"${old}"`, `"${id}"`)
    known[name] = [...new Set([id, ...(known[name] ?? [])])].slice(0, 20)
  }
  save(known)
  return text
}

async function idOf(name: string): Promise<Id | undefined> {
  const [, kind, key = ''] = [...name.matchAll(NAME)][0] ?? []
  const found = await ask<Found>(LOOK_UP, { jobKey: kind === 'job' ? key : 'none' })
  if (kind === 'job') return found.jobByKey?.id ?? found.jobs.nodes[0]?.id
  const { nodes } = kind === 'team' ? found.teams : found.clusters
  return (nodes.find(each => each.name === key) ?? nodes[0])?.id
}
