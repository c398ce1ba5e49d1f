import { useEffect, useState } from 'react'
import { ask } from './api.ts'

const TEAMS = `query Teams($after: String) {
  teams(first: 100, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } }
}`

interface Team {
  id: string
  name: string
}

interface Teams {
  teams: { nodes: Team[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } }
}

async function allTeams() {
  const found: Team[] = []
  for (let after: string | null = null, isMore = true; isMore; ) {
    const { nodes, pageInfo }: Teams['teams'] = (await ask<Teams>(TEAMS, { after })).teams
    found.push(...nodes)
    ;({ endCursor: after, hasNextPage: isMore } = pageInfo)
  }
  return found
}

export function TeamPicker({ name }: { name: string }) {
  const [teams, setTeams] = useState<Team[]>([])
  const [error, setError] = useState<string>()
  useEffect(() => {
    allTeams().then(setTeams, (problem: Error) => setError(problem.message))
  }, [])
  return (
    <>
      <select aria-label="Team" name={name} required defaultValue="">
        <option value="" disabled>
          Choose a team
        </option>
        {teams.map(team => (
          <option key={team.id} value={team.id}>
            {team.name}
          </option>
        ))}
      </select>
      {error && <p role="alert">{error}</p>}
    </>
  )
}
