/** The mutations of the version history. */
import { ask, type GraphQLRequest } from '../api.ts'
import { changedFields, type Config } from './config.ts'
import type { Situation } from './situation.ts'

export type Kind = 'create' | 'edit' | 'publish' | 'discard' | 'activate'

export interface Change {
  kind: Kind
  jobKey: string
  /** The version to copy, to change or to activate. */
  number: number
}

/** What the user enters. */
export interface Entered {
  message: string
  config?: Config
  discardDraft: boolean
}

export interface UserError {
  code: string
  message: string
  path: string[]
}

const CREATE = `mutation CreateDraft($input: CreateDraftInput!) {
  createDraft(input: $input) {
    draft { number revision }
    userErrors { code message path }
  }
}`

const EDIT = `mutation UpdateDraft($input: UpdateDraftInput!) {
  updateDraft(input: $input) {
    draft { number revision }
    userErrors { code message path }
  }
}`

const PUBLISH = `mutation PublishDraft($input: PublishDraftInput!) {
  publishDraft(input: $input) {
    version { number publishedAt }
    userErrors { code message path }
  }
}`

const DISCARD = `mutation DiscardDraft($input: DiscardDraftInput!) {
  discardDraft(input: $input) {
    discardedNumber
    userErrors { code message path }
  }
}`

const ACTIVATE = `mutation ActivateVersion($input: ActivateVersionInput!) {
  activateVersion(input: $input) {
    version { number }
    userErrors { code message path }
  }
}`

export const OPERATIONS: Record<Kind, string> = { create: CREATE, edit: EDIT, publish: PUBLISH, discard: DISCARD, activate: ACTIVATE }

/** Return the request. It expects the state that the user has seen, so that a concurrent change is refused. */
export function requestOf({ kind, number }: Change, situation: Situation, entered: Entered): GraphQLRequest {
  const expectedDraftRevision = situation.draft?.revision
  const expectedCurrentVersion = situation.currentVersion.number
  const { discardDraft } = entered
  const changes = entered.config && changedFields(situation.version?.input ?? {}, entered.config)
  const particular: Record<Kind, object> = {
    create: { fromVersion: number, ...(changes && Object.keys(changes).length && { changes }) },
    edit: { changes: changes ?? {}, expectedDraftRevision },
    publish: { expectedDraftRevision, expectedCurrentVersion },
    discard: { expectedDraftRevision },
    activate: { number, expectedCurrentVersion, ...(discardDraft && { discardDraft, expectedDraftRevision }) },
  }
  const message = entered.message.trim()
  const input = { jobId: situation.id, ...particular[kind], ...(message && { message }) }
  return { query: OPERATIONS[kind], variables: { input } }
}

/** Send the request and return the reasons why it was refused. */
export async function sendChange({ query, variables }: GraphQLRequest, dryRun: boolean): Promise<UserError[]> {
  const { input } = variables as { input: object }
  const data = await ask<Record<string, { userErrors: UserError[] }>>(
    query,
    { input: dryRun ? { ...input, dryRun } : input },
    { isMutation: !dryRun },
  )
  return Object.values(data).flatMap(({ userErrors }) => userErrors)
}

const CONFLICTS = ['STALE_REVISION', 'DRAFT_EXISTS', 'DRAFT_NOT_FOUND']

/** Whether the mutation was refused because the job has changed since the user saw it. */
export const isConflict = (errors: UserError[]) => errors.some(({ code }) => CONFLICTS.includes(code))
