import type { Plugin } from 'vite'

/** Preload the editor in parallel: it is the largest file, and GraphiQL requests it only after it has started. */
export function preload(chunk: string): Plugin {
  return {
    name: 'preload',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (_html, { bundle = {} }) =>
        Object.values(bundle)
          .filter(file => file.type === 'chunk' && file.name === chunk)
          .map(({ fileName }) => ({
            tag: 'link',
            attrs: { rel: 'modulepreload', crossorigin: true, href: `./${fileName}`, nonce: '{nonce}' },
            injectTo: 'head',
          })),
    },
  }
}
