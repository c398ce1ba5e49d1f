/** Questions before an example's operation is sent: which objects to use, and whether to change them. */
import type { OperationDefinitionNode, SelectionNode } from 'graphql'
import type { GraphQLRequest } from './api.ts'
import { examples } from './examples.ts'
import { identity, isDemo, personOf } from './identity.ts'
import { operationOf } from './operations.ts'
import { type Blank, blanks, type Chosen, fillBlanks } from './placeholders.ts'
import { Problem } from './problem.ts'
import { Store } from './store.ts'

export type Question =
  | { kind: 'choose'; blanks: Blank[]; answer: (chosen?: Chosen) => void }
  | { kind: 'confirm'; operation: string; answer: (isConfirmed: boolean) => void }

/** The question that is shown now. */
export const question = new Store<Question | undefined>(undefined)

/** Return the operation to send. Throws a `Problem` if the user declines. */
export async function permitted(graphQLRequest: GraphQLRequest): Promise<GraphQLRequest> {
  const operation = operationOf(graphQLRequest)
  if (!operation) return graphQLRequest // the server reports the error
  const missing = blanks(JSON.stringify(used(operation, graphQLRequest.variables)))
  const chosen = missing.length ? await choose(missing) : new Map()
  if (!chosen || !(await mayChange(operation))) throw new Problem('Nothing was sent.')
  return { ...graphQLRequest, variables: JSON.parse(fillBlanks(JSON.stringify(graphQLRequest.variables ?? {}), chosen)) as unknown }
}

function used(operation: OperationDefinitionNode, variables: unknown) {
  const names = operation.variableDefinitions?.map(each => each.variable.name.value) ?? []
  return Object.fromEntries(Object.entries(variables ?? {}).filter(([name]) => names.includes(name)))
}

const choose = (blanks: Blank[]) => ask<Chosen | undefined>(answer => ({ kind: 'choose', blanks, answer }))

/** Confirmed operations by user. */
const confirmed = new Set<string>()

/** Outside the demo, ask the user to confirm each mutation of an example, once per visit. */
async function mayChange(operation: OperationDefinitionNode) {
  const name = operation.name?.value ?? ''
  const change = `${personOf(identity.get())} ${name}`
  if (isDemo(identity.get()) || !isExample(name) || !changes(operation) || confirmed.has(change)) return true
  const isConfirmed = await ask<boolean>(answer => ({ kind: 'confirm', operation: name, answer }))
  if (isConfirmed) confirmed.add(change)
  return isConfirmed
}

const isExample = (name: string) => examples.some(({ query }) => new RegExp(`^mutation ${name}\\b`, 'm').test(query))

function changes({ operation, selectionSet }: OperationDefinitionNode) {
  return operation === 'mutation' && !selectionSet.selections.every(isDryRun)
}

/** Whether the field has a literal `dryRun: true` in its input, so that it changes nothing. */
function isDryRun(field: SelectionNode) {
  const inputs = field.kind === 'Field' ? (field.arguments ?? []).map(argument => argument.value) : []
  const fields = inputs.flatMap(value => (value.kind === 'ObjectValue' ? value.fields : []))
  return fields.some(({ name, value }) => name.value === 'dryRun' && value.kind === 'BooleanValue' && value.value)
}

async function ask<T>(make: (answer: (value: T) => void) => Question): Promise<T> {
  try {
    return await new Promise<T>(resolve => question.set(make(resolve)))
  } finally {
    question.set(undefined)
  }
}
