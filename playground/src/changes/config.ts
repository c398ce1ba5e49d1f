/** A version's configuration as a JSON text that the user edits. */

export type Config = Record<string, unknown>

export const textOf = (config: Config) => JSON.stringify(config, null, 2)

/** Return the configuration, or undefined if the text isn't a JSON object. */
export function configOf(text: string): Config | undefined {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value && !Array.isArray(value) ? (value as Config) : undefined
  } catch {
    return undefined
  }
}

/** Return the fields that differ. A field that is missing now is null, which clears it. */
export function changedFields(before: Config, after: Config): Config {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const changed = names.filter(name => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
  return Object.fromEntries(changed.map(name => [name, after[name] ?? null]))
}

/** Lay the fields over the configuration. */
export function withFields(config: Config, fields: Config): Config {
  return Object.fromEntries(Object.entries({ ...config, ...fields }).filter(([, value]) => value !== null))
}
