import type { Plugin } from 'vite'

interface Patch {
  /** The end of the file's path. */
  file: string
  wrong: string
  right: string
}

const PATCHES: Patch[] = [
  // graphql-language-service 5.7 ignores defaults of input fields: GraphiQL would mark variables that omit them.
  {
    file: 'esm/utils/getVariablesJSONSchema.js',
    wrong: 'if (fieldRequired) {',
    right: 'if (fieldRequired && field.defaultValue === undefined) {',
  },
  // A tab must have no other control in it: the button becomes the tab, and closes by Delete (src/TabKeys.tsx).
  {
    file: 'react/dist/components/tabs/index.js',
    wrong: '"aria-selected": isActive,\n\t\t\tdragElastic: false,\n\t\t\trole: "tab",',
    right: 'dragElastic: false,\n\t\t\trole: "presentation",',
  },
  {
    file: 'graphiql/dist/GraphiQL.js',
    wrong: 'jsx(Tab.Button, { "aria-controls"',
    right: `jsx(Tab.Button, { role: "tab", "aria-selected": index_1 === activeTabIndex, tabIndex: index_1 === activeTabIndex ? 0 : -1,
      "aria-keyshortcuts": "Delete", "aria-controls"`,
  },
  {
    file: 'graphiql/dist/GraphiQL.js',
    wrong: 'jsx(Tab.Close, { onClick: handleTabClose }',
    right: 'jsx(Tab.Close, { tabIndex: -1, "aria-hidden": true, onClick: handleTabClose }',
  },
  // Contrast of numbers in the light theme, and of comments and line numbers in the dark one.
  {
    file: 'react/dist/constants.js',
    wrong: 'foreground: "#6c69ce"\n\t\t}]',
    right: 'foreground: "#5a57c0"\n\t\t}, { token: "number", foreground: "#06704a" }]',
  },
  {
    file: 'react/dist/constants.js',
    wrong: 'foreground: "#908aff"\n\t\t}]',
    right: 'foreground: "#a29dff"\n\t\t}, { token: "comment", foreground: "#86b873" }]',
  },
  {
    file: 'react/dist/constants.js',
    wrong: 'colors: getBaseColors("dark")',
    right: 'colors: { ...getBaseColors("dark"), "editorLineNumber.foreground": "#9aa5b8" }',
  },
  // Landmarks.
  {
    file: 'graphiql/dist/GraphiQL.js',
    wrong: 'className: "graphiql-main",',
    right: 'className: "graphiql-main", role: "main",',
  },
  {
    file: 'graphiql/dist/ui/sidebar.js',
    wrong: 'className: "graphiql-sidebar",',
    right: 'className: "graphiql-sidebar", role: "navigation", "aria-label": "Panels",',
  },
  // The name of a control must contain its text.
  {
    file: 'plugin-history/dist/components.js',
    wrong: 'onClick: handleHistoryItemClick, "aria-label": "Set active",',
    right: 'onClick: handleHistoryItemClick,',
  },
]

/** Mend faults of GraphiQL and its parts at their locked versions. */
export function patches(): Plugin {
  return {
    name: 'patches',
    transform(code, id) {
      const found = PATCHES.filter(({ file }) => id.endsWith(file))
      if (!found.length) return
      return { code: found.reduce((text, patch) => applied(text, patch), code), map: null }
    },
  }
}

function applied(code: string, { file, wrong, right }: Patch) {
  if (!code.includes(wrong)) throw new Error(`${file} has changed: is its patch still needed?`)
  return code.replace(wrong, right)
}
