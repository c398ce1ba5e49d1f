-- name: job
-- $1 caller, $2 job key
SELECT id, job_key AS "jobKey", description, status, created_at AS "createdAt", updated_at AS "updatedAt", current_number
FROM job
WHERE organization_id = (SELECT organization_id FROM actor WHERE id = $1) AND job_key = $2 AND id IN (
    SELECT job_team.job_id FROM job_team JOIN team_member USING (team_id) WHERE team_member.actor_id = $1)

-- name: member
-- $1 caller
SELECT id, name AS "displayName", organization_id FROM actor WHERE id = $1

-- name: visible
-- $1 organization, $2 caller, $3 limit
SELECT id, job_key AS "jobKey", description, status, created_at AS "createdAt", updated_at AS "updatedAt", current_number
FROM job
WHERE organization_id = $1 AND id IN (
    SELECT job_team.job_id FROM job_team JOIN team_member USING (team_id) WHERE team_member.actor_id = $2)
ORDER BY created_at, id LIMIT $3

-- name: total
-- $1 organization, $2 caller
SELECT count(*)::int AS total FROM job
WHERE organization_id = $1 AND id IN (
    SELECT job_team.job_id FROM job_team JOIN team_member USING (team_id) WHERE team_member.actor_id = $2)

-- name: teams
-- $1 caller, $2 limit
SELECT id, name FROM team WHERE organization_id = (SELECT organization_id FROM actor WHERE id = $1)
ORDER BY name, id LIMIT $2

-- name: teamsOfJobs
-- $1 jobs
SELECT job_team.job_id AS parent, team.id, team.name FROM job_team JOIN team ON team.id = job_team.team_id
WHERE job_team.job_id = ANY($1::text[]) ORDER BY team.name, team.id

-- name: currentVersions
-- $1 jobs, $2 their current numbers
SELECT job_id AS parent, job_version.id, number, status, cron, timezone, published_at AS "publishedAt", cluster_id
FROM unnest($1::text[], $2::int[]) wanted(job, current) JOIN job_version ON job_id = job AND number = current

-- name: clusters
-- $1 clusters
SELECT id, name, status FROM cluster WHERE id = ANY($1::text[])

-- name: latestRuns
-- $1 jobs
SELECT job AS parent, run.id, run.status, run.created_at AS "createdAt" FROM unnest($1::text[]) wanted(job), LATERAL (
    SELECT id, status, created_at FROM job_run WHERE job_id = job ORDER BY created_at DESC, id DESC LIMIT 1) run

-- name: jobsOfTeams
-- $1 teams, $2 caller, $3 limit of each
SELECT team AS parent, job.* FROM unnest($1::text[]) wanted(team), LATERAL (
    SELECT job.id, job.job_key AS "jobKey", job.status FROM job_team granted JOIN job ON job.id = granted.job_id
    WHERE granted.team_id = team AND job.id IN (
        SELECT job_team.job_id FROM job_team JOIN team_member USING (team_id) WHERE team_member.actor_id = $2)
    ORDER BY job.created_at, job.id LIMIT $3) job

-- name: versionsOfJobs
-- $1 jobs, $2 limit of each
SELECT job AS parent, version.* FROM unnest($1::text[]) wanted(job), LATERAL (
    SELECT id, number, status, cluster_id FROM job_version WHERE job_id = job AND status = 'PUBLISHED'
    ORDER BY number LIMIT $2) version

-- name: jobsByIds
-- $1 jobs
SELECT id, job_key AS "jobKey", description, status, created_at AS "createdAt", updated_at AS "updatedAt", current_number
FROM job WHERE id = ANY($1::text[])

-- name: viewers
-- $1 job
SELECT DISTINCT team_member.actor_id FROM job_team JOIN team_member USING (team_id) WHERE job_team.job_id = $1
