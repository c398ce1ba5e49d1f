import { graphql } from './generated/index.ts'

export const PROBLEM = graphql(`
  fragment Problem on UserError {
    __typename
    code
    path
    ... on ClusterNotActiveError { cluster { name status } }
    ... on DependencyCycleError { cycle { id } }
    ... on DependencyNotFoundError { dependencyId }
    ... on DraftExistsError { draft { number } }
    ... on ForbiddenError { missingPermission missingTeamRole team { name } }
    ... on InvalidError { minimum maximum pattern }
    ... on JobHasDependentsError { dependents { jobKey } hiddenCount }
    ... on JobKeyTakenError { jobKey }
    ... on StaleRevisionError { expected actual }
    ... on VersionNotFoundError { number }
    ... on VersionNotPublishedError { number }
  }
`)

export const SURROUNDINGS = graphql(`
  query Surroundings {
    me { actor { displayName } }
    teams { nodes { id name } }
    clusters { nodes { id name } }
    savedQueries(first: 2) { nodes { id } }
  }
`)

export const CREATE_JOB = graphql(`
  mutation CreateJob($input: CreateJobInput!) {
    createJob(input: $input) {
      job {
        id
        jobKey
        revision
        createdAt
        teams { edges { grantedAt node { name } } }
        currentVersion {
          number
          source {
            __typename
            ... on SavedQueriesSource { queryIds }
            ... on SqlSnapshotSource { sql }
          }
          schedule { cron timezone concurrencyPolicy }
        }
      }
      userErrors { ...Problem }
    }
  }
`)

export const CLONE_JOB = graphql(`
  mutation CloneJob($input: CloneJobInput!) {
    cloneJob(input: $input) {
      job { id currentVersion { number input } }
      userErrors { ...Problem }
    }
  }
`)

export const UPDATE_JOB = graphql(`
  mutation UpdateJob($input: UpdateJobInput!) {
    updateJob(input: $input) {
      job { name description status revision }
      userErrors { ...Problem }
    }
  }
`)

export const CREATE_DRAFT = graphql(`
  mutation CreateDraft($input: CreateDraftInput!) {
    createDraft(input: $input) {
      draft { number status revision basedOn { number } }
      userErrors { ...Problem }
    }
  }
`)

export const VALUE = graphql(`
  fragment Value on ConfigValue {
    __typename
    ... on TextValue { text }
    ... on NumberValue { number }
    ... on NodeValue { key node { id } }
    ... on SecretValue { reference }
    ... on HiddenValue { isHidden }
  }
`)

export const UPDATE_DRAFT = graphql(`
  mutation UpdateDraft($input: UpdateDraftInput!) {
    updateDraft(input: $input) {
      draft { maxRetries schedule { cron } changes { path kind before { ...Value } after { ...Value } } }
      userErrors { ...Problem }
    }
  }
`)

export const DISCARD_DRAFT = graphql(`
  mutation DiscardDraft($input: DiscardDraftInput!) {
    discardDraft(input: $input) {
      discardedNumber
      job { draft { number } }
      userErrors { ...Problem }
    }
  }
`)

export const PUBLISH_DRAFT = graphql(`
  mutation PublishDraft($input: PublishDraftInput!) {
    publishDraft(input: $input) {
      version { number message publishedAt publishedBy { displayName } }
      job { currentVersion { number } draft { number } }
      userErrors { ...Problem }
    }
  }
`)

export const CREATE_VERSION = graphql(`
  mutation CreateVersion($input: CreateVersionInput!) {
    createVersion(input: $input) {
      version { number timeoutSeconds }
      job { currentVersion { number } }
      userErrors { ...Problem }
    }
  }
`)

export const ACTIVATE_VERSION = graphql(`
  mutation ActivateVersion($input: ActivateVersionInput!) {
    activateVersion(input: $input) {
      job { currentVersion { number } versions { totalCount } }
      userErrors { ...Problem }
    }
  }
`)

export const ADD_TEAMS = graphql(`
  mutation AddTeams($input: AddTeamsToJobInput!) {
    addTeamsToJob(input: $input) {
      job { teams { nodes { name } } }
      userErrors { ...Problem }
    }
  }
`)

export const REMOVE_TEAM = graphql(`
  mutation RemoveTeam($input: RemoveTeamFromJobInput!) {
    removeTeamFromJob(input: $input) {
      job { teams { nodes { name } } }
      userErrors { ...Problem }
    }
  }
`)

export const UPDATE_ORGANIZATION = graphql(`
  mutation UpdateOrganization($input: UpdateOrganizationInput!) {
    updateOrganization(input: $input) {
      organization { name }
      userErrors { ...Problem }
    }
  }
`)

export const DELETE_JOB = graphql(`
  mutation DeleteJob($input: DeleteJobInput!) {
    deleteJob(input: $input) {
      deletedJobId
      cancelledRuns { id status }
      userErrors { ...Problem }
    }
  }
`)
