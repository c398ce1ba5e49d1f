-- One organization in Mainsheet's own tables: 50 teams, 200 members with the role MEMBER, 20 clusters, and
-- :jobs jobs with five versions and ten runs each. All of it follows from row numbers; nothing is random.
-- A member is in five teams, a job in one to three. Any two teams share some jobs, so a member sees some of every
-- team's jobs, all of those of the own teams, and about a fifth of the organization's.

-- name: bench_id
CREATE FUNCTION bench_id(prefix text, number bigint) RETURNS text
    LANGUAGE sql IMMUTABLE RETURN prefix || lpad(number::text, 18, '0');

-- name: organization
INSERT INTO organization (id, name) VALUES (bench_id('OR', 1), 'Benchmark');

-- name: team
INSERT INTO team (id, organization_id, name, description, revision)
SELECT bench_id('TM', n), bench_id('OR', 1), 'team-' || lpad(n::text, 3, '0'), 'Looks after area ' || n, 1
FROM generate_series(1, 50) n;

-- name: member
INSERT INTO actor (id, organization_id, kind, name, email, organization_role, status, revision)
SELECT bench_id('MB', n), bench_id('OR', 1), 'MEMBER', 'Member ' || n, 'member' || n || '@bench.example', 'MEMBER',
    'ACTIVE', 1
FROM generate_series(1, 200) n;

-- name: team_member
INSERT INTO team_member (organization_id, team_id, actor_id, role)
SELECT bench_id('OR', 1), bench_id('TM', 1 + (n * 7 + k * 11) % 50), bench_id('MB', n),
    (ARRAY['VIEWER', 'CONTRIBUTOR', 'ADMIN'])[1 + (n + k) % 3]
FROM generate_series(1, 200) n, generate_series(0, 4) k;

-- name: cluster
INSERT INTO cluster (id, organization_id, name, region, status, revision)
SELECT bench_id('CL', n), bench_id('OR', 1), 'cluster-' || lpad(n::text, 2, '0'),
    (ARRAY['eu-west-1', 'us-east-1', 'ap-south-1'])[1 + n % 3], 'ACTIVE', 1
FROM generate_series(1, 20) n;

-- name: job
INSERT INTO job (id, organization_id, job_key, name, description, search_text, status, revision, current_number,
    current_cluster_id, current_source_kind, is_scheduled, latest_run_at, latest_run_status, last_number, event_count,
    created_at, created_by_id, updated_at, updated_by_id)
SELECT bench_id('JB', n), bench_id('OR', 1), 'pipeline-' || lpad(n::text, 5, '0'), 'Pipeline ' || n, text,
    'pipeline-' || lpad(n::text, 5, '0') || E'\npipeline ' || n || E'\n' || lower(text),
    (ARRAY['ACTIVE', 'ACTIVE', 'ACTIVE', 'PAUSED'])[1 + n % 4], 5, 1 + n % 5,
    bench_id('CL', 1 + (n * 3 + 1 + n % 5) % 20), 'SQL_SNAPSHOT', true,
    timestamptz '2026-06-01 00:00Z' + 10 * interval '1 day' + n * 31 % 86400 * interval '1 second',
    (ARRAY['SUCCEEDED', 'SUCCEEDED', 'FAILED', 'CANCELLED'])[1 + (n + 10) % 4], 5, 5,
    timestamptz '2025-01-01 00:00Z' + (n * 7919 % 10007) * interval '53 minutes', bench_id('MB', 1 + n % 200),
    timestamptz '2026-03-01 00:00Z' + n * interval '1 minute', bench_id('MB', 1 + (n + 7) % 200)
FROM generate_series(1, :jobs) n, LATERAL (SELECT 'Loads partition ' || n || ' and refreshes what is built on it') t(text);

-- name: job_version
INSERT INTO job_version (id, organization_id, job_id, number, status, revision, based_on_number, cluster_id, source_kind,
    source, cron, timezone, concurrency_policy, missed_schedule_policy, execution_mode, driver_instance_type, environment,
    max_retries, retry_delay_seconds, created_at, created_by_id, published_at, published_by_id)
SELECT bench_id('JV', n * 10 + v), bench_id('OR', 1), bench_id('JB', n), v, 'PUBLISHED', 0, nullif(v - 1, 0),
    bench_id('CL', 1 + (n * 3 + v) % 20), 'SQL_SNAPSHOT',
    jsonb_build_object('origin', 'etl/pipeline_' || n || '.sql',
        'sql', 'INSERT INTO mart.daily SELECT * FROM staging.partition_' || n || ' WHERE day = current_date - ' || v),
    (n % 60) || ' ' || (v * 4) || ' * * *', (ARRAY['UTC', 'Europe/Berlin', 'America/New_York'])[1 + n % 3],
    (ARRAY['SKIP', 'REPLACE'])[1 + (n + v) % 2], 'SKIP', 'STANDALONE', 'm.large',
    jsonb_build_array(jsonb_build_object('name', 'PARTITION', 'value', n::text)), 3, 60,
    timestamptz '2025-06-01 00:00Z' + n * interval '1 minute' + v * interval '1 day', bench_id('MB', 1 + (n + v) % 200),
    timestamptz '2025-06-01 12:00Z' + n * interval '1 minute' + v * interval '1 day', bench_id('MB', 1 + (n + v) % 200)
FROM generate_series(1, :jobs) n, generate_series(1, 5) v;

-- name: job_team
INSERT INTO job_team (organization_id, job_id, team_id, granted_at, granted_by_id, job_created_at)
SELECT DISTINCT bench_id('OR', 1), bench_id('JB', n), bench_id('TM', 1 + (n + shift * sign(k)::int) % 50),
    timestamptz '2025-01-01 00:00Z', bench_id('MB', 1),
    timestamptz '2025-01-01 00:00Z' + (n * 7919 % 10007) * interval '53 minutes'
FROM generate_series(1, :jobs) n, generate_series(0, 2) k,
    LATERAL (SELECT 1 + (n / 50 * (6 * k - 5) + 13 * k) % 49) s(shift)
WHERE k <= n % 3;

-- name: job_run
INSERT INTO job_run (id, organization_id, job_id, version_number, cluster_id, attempt, retries, lost_claims, parameters,
    status, trigger, created_at, started_at, finished_at)
SELECT bench_id('JR', n * 100 + r), bench_id('OR', 1), bench_id('JB', n), 1 + n % 5,
    bench_id('CL', 1 + (n * 3 + 1 + n % 5) % 20), 1, 0, 0, '[]',
    (ARRAY['SUCCEEDED', 'SUCCEEDED', 'FAILED', 'CANCELLED'])[1 + (n + r) % 4],
    (ARRAY['SCHEDULE', 'MANUAL'])[1 + (n + r) % 2], at, at + interval '2 seconds', at + interval '90 seconds'
FROM generate_series(1, :jobs) n, generate_series(1, 10) r,
    LATERAL (SELECT timestamptz '2026-06-01 00:00Z' + r * interval '1 day' + n * 31 % 86400 * interval '1 second') t(at);

-- name: postgraphile
-- What PostGraphile makes fields of: the rules of visibility, and orders that a foreign key can't say.
CREATE FUNCTION actor_visible_jobs(actor actor) RETURNS SETOF job LANGUAGE sql STABLE AS $$
    SELECT * FROM job WHERE job.organization_id = actor.organization_id AND job.id IN (
        SELECT job_team.job_id FROM job_team JOIN team_member ON team_member.team_id = job_team.team_id
        WHERE team_member.actor_id = actor.id)
    ORDER BY job.created_at, job.id
$$;

CREATE FUNCTION actor_job_by_key(actor actor, job_key text) RETURNS SETOF job LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT * FROM job WHERE job.organization_id = actor.organization_id AND job.job_key = actor_job_by_key.job_key
    AND job.id IN (
        SELECT job_team.job_id FROM job_team JOIN team_member ON team_member.team_id = job_team.team_id
        WHERE team_member.actor_id = actor.id)
$$;

CREATE FUNCTION actor_known_teams(actor actor) RETURNS SETOF team LANGUAGE sql STABLE AS $$
    SELECT * FROM team WHERE team.organization_id = actor.organization_id ORDER BY team.name, team.id
$$;

CREATE FUNCTION team_jobs_seen_by(team team, viewer text) RETURNS SETOF job LANGUAGE sql STABLE AS $$
    SELECT job.* FROM job JOIN job_team ON job_team.job_id = job.id WHERE job_team.team_id = team.id AND job.id IN (
        SELECT job_team.job_id FROM job_team JOIN team_member ON team_member.team_id = job_team.team_id
        WHERE team_member.actor_id = viewer)
    ORDER BY job.created_at, job.id
$$;

CREATE FUNCTION job_granted_teams(job job) RETURNS SETOF team LANGUAGE sql STABLE AS $$
    SELECT team.* FROM team JOIN job_team ON job_team.team_id = team.id WHERE job_team.job_id = job.id
    ORDER BY team.name, team.id
$$;

CREATE FUNCTION job_recent_runs(job job) RETURNS SETOF job_run LANGUAGE sql STABLE AS $$
    SELECT * FROM job_run WHERE job_run.job_id = job.id ORDER BY job_run.created_at DESC, job_run.id DESC
$$;

CREATE FUNCTION job_published_versions(job job) RETURNS SETOF job_version LANGUAGE sql STABLE AS $$
    SELECT * FROM job_version WHERE job_version.job_id = job.id AND job_version.status = 'PUBLISHED'
    ORDER BY job_version.number
$$;
