import { Component, type ReactNode } from 'react'
import { NOT_LOADED } from './chunks.tsx'
import { Notice } from './Notice.tsx'
import { Problem } from './problem.ts'

const FAILED = new Problem('This part of the page failed. Reload the page: your tabs are kept.', 'reload')

/** Contain the failure of one part, so that the rest of the page works. */
export class Boundary extends Component<{ children: ReactNode }, { problem?: Problem }> {
  override state: { problem?: Problem } = {}

  static getDerivedStateFromError(error: unknown) {
    return { problem: error instanceof Problem ? error : FAILED }
  }

  override render() {
    const { problem } = this.state
    if (problem === NOT_LOADED) return null // the page shows its own notice
    return problem ? <Notice problem={problem} /> : this.props.children
  }
}
