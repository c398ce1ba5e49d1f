import { graphql } from './generated/index.ts'

export const JOBS = graphql(`
  query PersistedJobs($first: Int!) {
    me { jobs(first: $first, sortBy: JOB_KEY) { nodes { id ...PersistedJob } } }
  }
  fragment PersistedJob on Job { jobKey }
`)

export const RENAME = graphql(`
  mutation PersistedRename($jobId: ID!, $name: String!) {
    updateJob(input: { jobId: $jobId, name: $name }) { job { id name } userErrors { code } }
  }
`)

export const EVENTS = graphql(`
  subscription PersistedEvents($after: String) { events(after: $after) { action } }
`)
