import { graphql } from './generated/index.ts'

export const ROW = graphql(`
  fragment Row on Job { id jobKey revision status tags currentVersion { number } latestRun { status } viewerPermissions }
`)

export const TABLE = graphql(`
  query Table($filter: JobFilter, $first: Int!, $after: String) {
    jobs(filter: $filter, first: $first, after: $after, sortBy: NAME) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes { ...Row }
      facets {
        statuses { value count }
        teams { node { id name } count }
        clusters { node { id name } count }
        tags { value count }
      }
    }
  }
`)

export const DETAILS = graphql(`
  query Details($id: ID!) {
    job(id: $id) {
      jobKey
      name
      description
      teams { nodes { id name } }
      currentVersion { number input schedule { description nextFireTimes(count: 3) } dependencies { jobKey } }
      draft { number revision input updatedBy { displayName } changes { label } }
      versions(last: 5) { nodes { number input message publishedBy { displayName } } }
      events(first: 5) { nodes { action actor { displayName } } }
      runs(first: 5) { nodes { status startedAt } }
    }
  }
`)

export const EDIT = graphql(`
  mutation Edit($input: UpdateDraftInput!) {
    updateDraft(input: $input) { draft { revision input updatedBy { displayName } } userErrors { ...Problem } }
  }
`)

export const PAUSE = graphql(`
  mutation Pause($input: UpdateJobsInput!) {
    updateJobs(input: $input) { results { job { ...Row } userErrors { ...Problem } } userErrors { ...Problem } }
  }
`)

export const APPLY = graphql(`
  mutation Apply($input: ApplyJobsInput!) {
    applyJobs(input: $input) {
      results { jobKey outcome changes { path } userErrors { ...Problem } }
      userErrors { ...Problem }
    }
  }
`)

export const EXPORT = graphql(`
  query Export($filter: JobFilter, $after: String) {
    jobs(filter: $filter, first: 20, after: $after, sortBy: JOB_KEY) {
      pageInfo { hasNextPage endCursor }
      nodes { document }
    }
  }
`)
