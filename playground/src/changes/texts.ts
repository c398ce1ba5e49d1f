import type { Change, Kind } from './mutations.ts'
import type { Situation } from './situation.ts'

export const TITLES: Record<Kind, (number: number) => string> = {
  create: number => `Create a draft from v${number}`,
  edit: number => `Edit the draft v${number}`,
  publish: number => `Publish the draft v${number}`,
  discard: number => `Discard the draft v${number}`,
  activate: number => `Activate v${number}`,
}

export const BUTTONS: Record<Kind, string> = {
  create: 'Create draft',
  edit: 'Save',
  publish: 'Publish',
  discard: 'Discard draft',
  activate: 'Activate',
}

export const DONE: Record<Kind, (number: number) => string> = {
  create: number => `The draft from v${number} was created.`,
  edit: number => `The draft v${number} was saved.`,
  publish: number => `v${number} was published.`,
  discard: number => `The draft v${number} was discarded.`,
  activate: number => `v${number} was activated.`,
}

export const EFFECTS: Record<Kind, (number: number, current: number) => string> = {
  create: number => `The draft begins with the configuration of v${number}, and the changes that you make here.`,
  edit: () => 'Only the fields that you change are sent.',
  publish: (number, current) => `v${number} becomes the current version in place of v${current}. A published version never changes.`,
  discard: number => `v${number} is deleted, and its number isn't used again. The event keeps its configuration.`,
  activate: (number, current) => `v${number} becomes the current version in place of v${current}, which is kept and can be activated again.`,
}

/** Say that the draft to change is gone. If there is another draft, the user has not seen it. */
export function goneDraft({ kind, number }: Change, { draft, version }: Situation): string | undefined {
  if (kind === 'create' || kind === 'activate' || draft?.number === number) return undefined
  const fate = `The draft v${number} was ${version ? 'published' : 'discarded'}.`
  return draft ? `${fate} There is a new draft, v${draft.number}, by ${draft.updatedBy.displayName}.` : fate
}
