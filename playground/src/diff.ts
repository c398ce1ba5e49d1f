export interface Line {
  sign: ' ' | '-' | '+'
  text: string
}

const lines = (text: string | null) => (text === null ? [] : text.split('\n'))

/** Compare two texts line by line, by their longest common subsequence. */
export function diff(before: string | null, after: string | null): Line[] {
  const [a, b] = [lines(before), lines(after)]
  const common = lengths(a, b)
  const found: Line[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) found.push({ sign: ' ', text: a[(j++, i++)]! })
    else if (j >= b.length || (i < a.length && common[i + 1]![j]! >= common[i]![j + 1]!)) found.push({ sign: '-', text: a[i++]! })
    else found.push({ sign: '+', text: b[j++]! })
  }
  return found
}

const CONTEXT = 2

/** Leave out the lines that are far from a change. */
export function nearChanges(all: Line[]): Line[] {
  const changed = all.flatMap(({ sign }, index) => (sign === ' ' ? [] : [index]))
  return all.filter((_, index) => changed.some(each => Math.abs(each - index) <= CONTEXT))
}

/** The longest common subsequence's length for each pair of the lists' rests. */
function lengths(a: string[], b: string[]): number[][] {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      table[i]![j] = a[i] === b[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!)
  return table
}
