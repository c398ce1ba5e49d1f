import type { Plugin } from 'vite'

/** Fetch the editor beside what asks for it: it is the largest file, and GraphiQL wants it only once it runs. */
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
