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
