/** Parts of the page that are loaded on demand. Loading fails after an upgrade, or if the server is unreachable. */
import { Notice } from './Notice.tsx'
import { Problem } from './problem.ts'
import { Store, useStore } from './store.ts'

export const NOT_LOADED = new Problem("A part of the page can't be loaded: the server was upgraded or is away. Reload the page.", 'reload')

const isMissing = new Store(false)

export const reportMissing = () => isMissing.set(true)

addEventListener('vite:preloadError', reportMissing)

export function MissingChunk() {
  return useStore(isMissing) && <Notice problem={NOT_LOADED} />
}
