/** The state of a job that a change begins with. */
import { ask } from '../api.ts'
import type { Config } from './config.ts'

const SITUATION = `query Situation($jobKey: String!, $number: Int!) {
  jobByKey(jobKey: $jobKey) {
    id
    currentVersion { number }
    draft { number revision message input updatedAt updatedBy { displayName } changes { path } }
    version(number: $number) { input }
    dependents(first: 5) { totalCount nodes { jobKey } }
  }
}`

export interface Draft {
  number: number
  revision: number
  message: string | null
  input: Config
  updatedAt: string
  updatedBy: { displayName: string }
  changes: object[]
}

export interface Situation {
  id: string
  currentVersion: { number: number }
  draft: Draft | null
  /** The version to change, or to copy. */
  version: { input: Config } | null
  dependents: { totalCount: number; nodes: { jobKey: string }[] }
}

/** Return the job's state, or throw an error if the member can't see it any more. */
export async function loadSituation(jobKey: string, number: number): Promise<Situation> {
  const { jobByKey: job } = await ask<{ jobByKey: Situation | null }>(SITUATION, { jobKey, number })
  if (!job) throw new Error(`There is no job with the key ${jobKey} that you can see.`)
  return job
}
