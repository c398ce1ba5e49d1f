import type { CodegenConfig } from '@graphql-codegen/cli'

const { SCHEMA = '../../../schema/schema.graphql', TOKEN, OUTPUT = 'generated' } = process.env

// Without `oneOf`, introspection takes JobSourceInput for an input like any other.
const introspection = { headers: { Authorization: `Bearer ${TOKEN}` }, oneOf: true }

const config: CodegenConfig = {
  schema: TOKEN ? { [SCHEMA]: introspection } : SCHEMA,
  documents: ['documents.ts', 'day-documents.ts'],
  generates: {
    [`${OUTPUT}/`]: {
      preset: 'client',
      presetConfig: { fragmentMasking: { unmaskFunctionName: 'unmasked' } },
      config: {
        strictScalars: true,
        scalars: { DateTime: 'string', ID: 'string', JobConfig: 'JobConfigInput', JobDocument: 'JobDocumentInput' },
        documentMode: 'string',
        importExtension: '.ts', // Node runs the files as they are
        useTypeImports: true,
      },
    },
  },
}

export default config
