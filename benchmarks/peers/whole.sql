-- name: point
-- $1 caller, $2 job key
SELECT json_build_object('data', json_build_object('jobByKey', (
    SELECT json_build_object('id', job.id, 'jobKey', job.job_key, 'description', job.description, 'status', job.status,
        'createdAt', job.created_at, 'updatedAt', job.updated_at, 'currentVersion', json_build_object(
            'id', version.id, 'number', version.number, 'status', version.status,
            'schedule', json_build_object('cron', version.cron, 'timezone', version.timezone),
            'publishedAt', version.published_at,
            'cluster', json_build_object('id', cluster.id, 'name', cluster.name, 'status', cluster.status)))
    FROM job
    JOIN job_version version ON version.job_id = job.id AND version.number = job.current_number
    JOIN cluster ON cluster.id = version.cluster_id
    WHERE job.organization_id = (SELECT organization_id FROM actor WHERE id = $1) AND job.job_key = $2 AND job.id IN (
        SELECT job_team.job_id FROM job_team JOIN team_member USING (team_id) WHERE team_member.actor_id = $1)
)))::text

-- name: dashboard
-- $1 caller, $2 limit
WITH viewer AS (SELECT id, name, organization_id FROM actor WHERE id = $1),
visible AS MATERIALIZED (
    SELECT job.* FROM job, viewer WHERE job.organization_id = viewer.organization_id AND job.id IN (
        SELECT job_team.job_id FROM job_team JOIN team_member USING (team_id) WHERE team_member.actor_id = $1)),
page AS (SELECT * FROM visible ORDER BY created_at, id LIMIT $2)
SELECT json_build_object('data', json_build_object('me', json_build_object(
    'actor', (SELECT json_build_object('id', id, 'displayName', name) FROM viewer),
    'jobs', json_build_object('totalCount', (SELECT count(*) FROM visible), 'nodes', (
        SELECT coalesce(json_agg(json_build_object(
            'id', page.id, 'jobKey', page.job_key, 'description', page.description, 'status', page.status,
            'createdAt', page.created_at, 'updatedAt', page.updated_at,
            'teams', json_build_object('nodes', (
                SELECT coalesce(json_agg(json_build_object('id', team.id, 'name', team.name) ORDER BY team.name, team.id),
                    '[]')
                FROM job_team JOIN team ON team.id = job_team.team_id WHERE job_team.job_id = page.id)),
            'currentVersion', (
                SELECT json_build_object('number', version.number,
                    'schedule', json_build_object('cron', version.cron, 'timezone', version.timezone),
                    'publishedAt', version.published_at,
                    'cluster', json_build_object('id', cluster.id, 'name', cluster.name, 'status', cluster.status))
                FROM job_version version JOIN cluster ON cluster.id = version.cluster_id
                WHERE version.job_id = page.id AND version.number = page.current_number),
            'latestRun', (
                SELECT json_build_object('id', run.id, 'status', run.status, 'createdAt', run.created_at)
                FROM job_run run WHERE run.job_id = page.id ORDER BY run.created_at DESC, run.id DESC LIMIT 1)
        ) ORDER BY page.created_at, page.id), '[]') FROM page)))))::text

-- name: nested
-- $1 caller, $2 teams, $3 jobs of each, $4 versions of each
SELECT json_build_object('data', json_build_object('teams', json_build_object('nodes', (
    SELECT coalesce(json_agg(json_build_object('id', team.id, 'name', team.name, 'jobs', json_build_object('nodes', (
        SELECT coalesce(json_agg(json_build_object('id', job.id, 'jobKey', job.job_key, 'status', job.status,
            'versions', json_build_object('nodes', (
                SELECT coalesce(json_agg(json_build_object(
                    'id', version.id, 'number', version.number, 'status', version.status,
                    'cluster', json_build_object('name', version.cluster)) ORDER BY version.number), '[]')
                FROM (
                    SELECT job_version.id, number, job_version.status, cluster.name AS cluster
                    FROM job_version JOIN cluster ON cluster.id = job_version.cluster_id
                    WHERE job_id = job.id AND job_version.status = 'PUBLISHED' ORDER BY number LIMIT $4) version))
        ) ORDER BY job.created_at, job.id), '[]')
        FROM (
            SELECT job.id, job.job_key, job.status, job.created_at
            FROM job_team granted JOIN job ON job.id = granted.job_id
            WHERE granted.team_id = team.id AND job.id IN (
                SELECT job_team.job_id FROM job_team JOIN team_member USING (team_id) WHERE team_member.actor_id = $1)
            ORDER BY job.created_at, job.id LIMIT $3) job))
    ) ORDER BY team.name, team.id), '[]')
    FROM (
        SELECT id, name FROM team WHERE organization_id = (SELECT organization_id FROM actor WHERE id = $1)
        ORDER BY name, id LIMIT $2) team))))::text
