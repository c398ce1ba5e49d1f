import { linked } from './link.ts'
import { Store } from './store.ts'

const CHOSEN = 'mainsheet:history-of'

/** The key of the job whose version history is shown, or an empty text. */
export const historyOf = new Store(linked.job ?? localStorage.getItem(CHOSEN) ?? '')

historyOf.subscribe(() => localStorage.setItem(CHOSEN, historyOf.get()))
