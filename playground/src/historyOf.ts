import { linked } from './link.ts'
import { lasting, tryToKeep } from './storage.ts'
import { Store } from './store.ts'

const CHOSEN = 'mainsheet:history-of'

/** The key of the job whose version history is shown, or an empty text. */
export const historyOf = new Store(linked.job ?? lasting.getItem(CHOSEN) ?? '')

historyOf.subscribe(() => tryToKeep(lasting, CHOSEN, historyOf.get()))
