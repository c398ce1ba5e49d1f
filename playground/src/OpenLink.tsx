import { useEffect } from 'react'
import { linked } from './link.ts'
import { operationOf } from './operations.ts'
import { useOpen } from './useOpen.ts'

/** Open the link's operation in a new tab, with the cursor in it. Nothing runs until the user runs it. */
export function OpenLink() {
  const open = useOpen()

  useEffect(() => {
    const { query, variables = '', operation } = linked
    if (!open || !query) return
    linked.query = undefined
    open(query, variables, operationOf({ query, operationName: operation })?.loc?.start)
  }, [open])
  return null
}
