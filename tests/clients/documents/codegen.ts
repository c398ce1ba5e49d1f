import type { CodegenConfig } from '@graphql-codegen/cli'
import { addTypenameSelectionDocumentTransform } from '@graphql-codegen/client-preset'

const config: CodegenConfig = {
  schema: process.env.SCHEMA!,
  documents: ['documents.ts'],
  generates: {
    'generated/': {
      preset: 'client',
      documentTransforms: [addTypenameSelectionDocumentTransform], // caches need it, and can't add it to an id
      presetConfig: { persistedDocuments: true },
      config: {
        scalars: { DateTime: 'string', ID: 'string', JobConfig: 'unknown', JobDocument: 'unknown' },
        importExtension: '.ts', // Node runs the files as they are
        useTypeImports: true,
      },
    },
  },
}

export default config
