import { graphql } from 'relay-runtime'

graphql`
  query jobsQuery {
    ...jobs_list
  }
`

// On Query: for a type named Viewer, Relay would refetch no other field than Query.viewer.
graphql`
  fragment jobs_list on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "jobsPageQuery") {
    me {
      jobs(first: $count, after: $cursor, sortBy: JOB_KEY) @connection(key: "jobs_list_jobs") {
        pageInfo {
          hasNextPage
          endCursor
        }
        edges {
          node {
            id
            ...jobs_job
          }
        }
      }
    }
  }
`

graphql`
  fragment jobs_job on Job @refetchable(queryName: "jobsJobQuery") {
    jobKey
    name
    currentVersion {
      number
      message
    }
    draft {
      number
    }
  }
`

graphql`
  mutation jobsRenameMutation($input: UpdateJobInput!) {
    updateJob(input: $input) {
      userErrors {
        code
      }
    }
  }
`

graphql`
  mutation jobsCreateDraftMutation($input: CreateDraftInput!) {
    createDraft(input: $input) {
      job {
        ...jobs_job
      }
    }
  }
`

graphql`
  mutation jobsPublishDraftMutation($input: PublishDraftInput!) {
    publishDraft(input: $input) {
      job {
        ...jobs_job
      }
    }
  }
`

graphql`
  mutation jobsCreateVersionMutation($input: CreateVersionInput!) {
    createVersion(input: $input) {
      job {
        ...jobs_job
      }
    }
  }
`

graphql`
  mutation jobsRollBackMutation($input: ActivateVersionInput!) {
    activateVersion(input: $input) {
      job {
        ...jobs_job
      }
    }
  }
`
