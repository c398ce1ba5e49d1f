-- name: members
-- $1 more members, each in five teams, as in data.sql
WITH added AS (
    INSERT INTO actor (id, organization_id, kind, name, email, organization_role, status, revision)
    SELECT bench_id('MB', n), bench_id('OR', 1), 'MEMBER', 'Member ' || n, 'member' || n || '@bench.example', 'MEMBER',
        'ACTIVE', 1
    FROM generate_series(201, 200 + $1::int) n
    RETURNING id, organization_id, substr(id, 3)::int AS n)
INSERT INTO team_member (organization_id, team_id, actor_id, role)
SELECT organization_id, bench_id('TM', 1 + (n * 7 + k * 11) % 50), id, (ARRAY['VIEWER', 'CONTRIBUTOR', 'ADMIN'])[1 + (n + k) % 3]
FROM added, generate_series(0, 4) k

-- name: change
-- One event: a job gets the description $2. Mainsheet reads the event, the others are notified.
WITH changed AS (
    UPDATE job SET description = $2, revision = revision + 1, event_count = event_count + 1, updated_at = clock_timestamp()
    WHERE id = $1 RETURNING *),
added AS (
    INSERT INTO event (id, organization_id, action, actor_id, occurred_at, subject_id, subject_label, job_id, team_ids, changes)
    SELECT 'EV' || left(md5(random()::text), 18), organization_id, 'JOB_UPDATED', bench_id('MB', 1), updated_at, id, job_key, id,
        (SELECT jsonb_agg(team_id) FROM job_team WHERE job_id = changed.id), '[]'
    FROM changed)
SELECT pg_notify('bench_jobs', id) FROM changed

-- name: viewers
-- How many of the members $1 see each job
SELECT job_team.job_id, count(DISTINCT team_member.actor_id)::int FROM job_team JOIN team_member USING (team_id)
WHERE team_member.actor_id = ANY($1::text[]) GROUP BY job_team.job_id ORDER BY job_team.job_id
