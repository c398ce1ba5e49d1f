import type { Plugin } from 'vite'

const WRONG = 'if (fieldRequired) {'
const RIGHT = 'if (fieldRequired && field.defaultValue === undefined) {'

/** graphql-language-service 5.7 ignores defaults of input fields: without this, GraphiQL marks variables that omit them. */
export function defaults(): Plugin {
  return {
    name: 'defaults',
    transform(code, id) {
      if (!id.endsWith('esm/utils/getVariablesJSONSchema.js')) return
      if (!code.includes(WRONG)) throw new Error('graphql-language-service has changed: is this still needed?')
      return { code: code.replace(WRONG, RIGHT), map: null }
    },
  }
}
