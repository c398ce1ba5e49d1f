/** The operations that both caches are tried with, as a frontend would write them. */
export interface Job {
  id: string
  jobKey: string
  currentVersion: { id: string; number: number; message: string | null }
  draft: { id: string; number: number } | null
}

export interface PageInfo {
  hasNextPage: boolean
  endCursor: string | null
}

export interface MyJobs {
  me: {
    id: string
    jobs: {
      edges: { node: Job }[]
      pageInfo: PageInfo
    }
  }
}

export const jobsOf = (data?: MyJobs) => data?.me.jobs.edges.map(({ node }) => node) ?? []

export interface Page {
  first: number
  after?: string | null
}

const JOB = `id jobKey currentVersion { id number message } draft { id number }`

export const MY_JOBS = `
  query MyJobs($first: Int!, $after: String) {
    me {
      id
      jobs(first: $first, after: $after, sortBy: JOB_KEY) {
        edges { cursor node { ${JOB} } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`

export const WHO_AM_I = `
  query WhoAmI {
    me { id actor { id displayName } }
  }
`

export const CREATE_DRAFT = `
  mutation CreateDraft($jobId: ID!) {
    createDraft(input: { jobId: $jobId, changes: { maxRetries: 7 } }) {
      job { ${JOB} }
      userErrors { code message }
    }
  }
`

export const PUBLISH_DRAFT = `
  mutation PublishDraft($jobId: ID!) {
    publishDraft(input: { jobId: $jobId, message: "Seen without a line of cache code" }) {
      job { ${JOB} }
      userErrors { code message }
    }
  }
`

export const CREATE_VERSION = `
  mutation CreateVersion($jobId: ID!) {
    createVersion(input: { jobId: $jobId, changes: { maxRetries: 8 }, message: "In one step" }) {
      version { id }
      job { ${JOB} }
      userErrors { code message }
    }
  }
`

export const ROLL_BACK = `
  mutation RollBack($jobId: ID!, $number: Int!) {
    activateVersion(input: { jobId: $jobId, number: $number, discardDraft: true }) {
      job { ${JOB} }
      userErrors { code message }
    }
  }
`

/** Types whose objects have no id, as urql's cache has to know. */
export const VERSION = `
  query Version($id: ID!) {
    job(id: $id) {
      id
      currentVersion {
        id
        schedule { cron }
        compute { executionMode }
        environment { name value }
        changes { path label kind }
      }
    }
  }
`
