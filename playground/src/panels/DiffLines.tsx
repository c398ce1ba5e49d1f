import type { Line } from '../diff.ts'

const CLASSES = { '+': 'added', '-': 'removed', ' ': 'same' }

export const DiffLines = ({ lines }: { lines: Line[] }) => (
  <pre>
    {lines.map(({ sign, text }, index) => (
      <span key={index} className={CLASSES[sign]}>
        {sign} {text}
        {'\n'}
      </span>
    ))}
  </pre>
)
