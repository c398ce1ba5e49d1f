/** The connections of a response, as tables that can be paged. */
import {
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  parse,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql'
import type { GraphQLRequest } from './api.ts'
import { isObject, type Json } from './json.ts'
import { operationOf } from './operations.ts'

interface PageInfo {
  hasNextPage?: boolean
  endCursor?: string | null
}

export interface Connection {
  /** Such as `me.jobs`. */
  path: string
  field: FieldNode
  rows: Record<string, string>[]
  total?: number
  pageInfo?: PageInfo
}

/** Return the connections that aren't inside of lists. */
export function connectionsOf(request: GraphQLRequest, data: unknown): Connection[] {
  const operation = operationOf(request)
  return operation && isObject(data) ? [...found(parse(request.query), operation.selectionSet, data, [])] : []
}

function* found(document: DocumentNode, { selections }: SelectionSetNode, data: Json, path: string[]): Generator<Connection> {
  for (const selection of selections) {
    if (selection.kind !== 'Field') {
      const set = selection.kind === 'InlineFragment' ? selection.selectionSet : fragment(document, selection.name.value)
      if (set) yield* found(document, set, data, path)
      continue
    }
    const name = selection.alias?.value ?? selection.name.value
    const value = data[name]
    if (!isObject(value) || !selection.selectionSet) continue
    const rows = rowsOf(value)
    if (rows) yield connection([...path, name].join('.'), selection, value, rows)
    else yield* found(document, selection.selectionSet, value, [...path, name])
  }
}

const fragment = ({ definitions }: DocumentNode, name: string) =>
  definitions.filter(each => each.kind === 'FragmentDefinition').find(each => each.name.value === name)?.selectionSet

function connection(path: string, field: FieldNode, { totalCount, pageInfo }: Json, rows: Json[]): Connection {
  return { path, field, rows: rows.map(row => Object.fromEntries(cells(row))), total: totalCount as number | undefined, pageInfo: pageInfo as PageInfo | undefined }
}

function rowsOf({ nodes, edges }: Json): Json[] | undefined {
  if (Array.isArray(nodes)) return nodes.filter(isObject)
  if (Array.isArray(edges)) return edges.filter(isObject).map(({ node, ...edge }) => ({ ...edge, ...(isObject(node) && node) }))
  return undefined
}

/** Flatten a row to texts by the path of their field. */
function* cells(row: Json, prefix = ''): Generator<[string, string]> {
  for (const [name, value] of Object.entries(row)) {
    if (isObject(value) && !rowsOf(value)) yield* cells(value, `${prefix}${name}.`)
    else yield [prefix + name, textOf(value)]
  }
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  if (!isObject(value)) return value === null ? '' : String(value)
  return rowsOf(value)?.map(textOf).join(', ') ?? Object.values(value).map(textOf).join(' ')
}

const argument = ({ arguments: given = [] }: FieldNode, name: string) => given.find(each => each.name.value === name)

/** Return the request for the next page: undefined at the end, or a text if it can't be told. */
export function nextPage(request: GraphQLRequest, { field, rows, total, pageInfo }: Connection): GraphQLRequest | string | undefined {
  if (argument(field, 'last') || argument(field, 'before')) return 'A list that is read backwards has no next page here.'
  if (!argument(field, 'page') && !argument(field, 'limit')) {
    if (!pageInfo || !('hasNextPage' in pageInfo && 'endCursor' in pageInfo)) return 'Select pageInfo { hasNextPage endCursor } to read on.'
    return pageInfo.hasNextPage ? withArgument(request, field, 'after', pageInfo.endCursor ?? '') : undefined
  }
  const page = Number(valueOf(request, argument(field, 'page')) ?? 1)
  const limit = Number(valueOf(request, argument(field, 'limit')) ?? 100)
  const isMore = pageInfo?.hasNextPage ?? (total === undefined ? rows.length === limit : page * limit < total)
  return isMore ? withArgument(request, field, 'page', page + 1) : undefined
}

function valueOf(request: GraphQLRequest, given?: ArgumentNode): unknown {
  if (given?.value.kind === 'Variable') return variable(request, given.value.name.value)
  return given && integerIn(given.value)
}

/** Return the value of the variable, or its default. */
function variable(request: GraphQLRequest, wanted: string): unknown {
  const sent = (request.variables as Json | undefined)?.[wanted]
  if (sent !== undefined) return sent
  const defined = operationOf(request)?.variableDefinitions?.find(each => each.variable.name.value === wanted)
  return defined?.defaultValue && integerIn(defined.defaultValue)
}

const integerIn = (value: ValueNode) => (value.kind === 'IntValue' ? value.value : undefined)

/** Set the variable of the argument, or else write the argument into the field. */
export function withArgument(request: GraphQLRequest, field: FieldNode, name: string, value: string | number): GraphQLRequest {
  const given = argument(field, name)
  if (given?.value.kind === 'Variable')
    return { ...request, variables: { ...(request.variables as Json), [given.value.name.value]: value } }
  const text = `${name}: ${JSON.stringify(value)}`
  const [start, end] = given?.loc ? [given.loc.start, given.loc.end] : placeFor(field)
  const isFirst = !field.arguments?.length
  const written = given ? text : isFirst ? `(${text})` : `${text}, `
  return { ...request, query: request.query.slice(0, start) + written + request.query.slice(end) }
}

function placeFor({ arguments: given = [], name }: FieldNode): [number, number] {
  const place = given[0]?.loc?.start ?? name.loc?.end ?? 0
  return [place, place]
}
