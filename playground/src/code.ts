/** The operation as code that others can run. The token comes from the environment, and is never part of the code. */
import type { GraphQLRequest } from './api.ts'

export const LANGUAGES = ['curl', 'TypeScript', 'Python'] as const
export type Language = (typeof LANGUAGES)[number]

export function codeOf(language: Language, url: string, request: GraphQLRequest): string {
  return { curl, TypeScript: typescript, Python: python }[language](url, request)
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

function curl(url: string, { query, variables, operationName }: GraphQLRequest) {
  const body = JSON.stringify({ query, variables, operationName: operationName ?? undefined })
  return `curl --silent --show-error --compressed ${quoted(url)} \\
  --header "Authorization: Bearer $MAINSHEET_TOKEN" \\
  --header 'Content-Type: application/json' \\
  --data-raw ${quoted(body)}
`
}

const template = (text: string) => text.trim().replace(/[\\`]|\$\{/g, '\\$&')

function typescript(url: string, { query, variables, operationName }: GraphQLRequest) {
  return `// GraphQL Code Generator makes ./gql from this file: use its preset "client" with documentMode "string".
import { graphql } from './gql'

const operation = graphql(\`
${template(query)}
\`)

const variables = ${JSON.stringify(variables, null, 2)}

const response = await fetch(${JSON.stringify(url)}, {
  method: 'POST',
  headers: { Authorization: \`Bearer \${process.env.MAINSHEET_TOKEN}\`, 'Content-Type': 'application/json' },
  body: JSON.stringify({ query: operation.toString(), variables${operationName ? `, operationName: ${JSON.stringify(operationName)}` : ''} }),
})
console.log(await response.json())
`
}

function python(url: string, { query, variables, operationName }: GraphQLRequest) {
  return `# Needs: pip install 'gql[httpx]>=4'
import os

from gql import Client, GraphQLRequest
from gql.transport.httpx import HTTPXTransport

request = GraphQLRequest(
    """
${query.trim().replaceAll('\\', '\\\\').replaceAll('"""', '\\"\\"\\"')}
""",
    variable_values=${literal(variables)},${operationName ? `\n    operation_name=${JSON.stringify(operationName)},` : ''}
)
headers = {"Authorization": f"Bearer {os.environ['MAINSHEET_TOKEN']}"}
client = Client(transport=HTTPXTransport(url=${JSON.stringify(url)}, headers=headers))
print(client.execute(request))
`
}

/** A JSON value as a Python literal. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value === 'object' && value)
    return `{${Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${literal(each)}`).join(', ')}}`
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return value === null || value === undefined ? 'None' : JSON.stringify(value)
}
