-- The statements of data.sql that differ for the tables of release 0.1.0.

-- name: team
INSERT INTO team (id, organization_id, name, description)
SELECT bench_id('TM', n), bench_id('OR', 1), 'team-' || lpad(n::text, 3, '0'), 'Looks after area ' || n
FROM generate_series(1, 50) n;

-- name: member
INSERT INTO member (id, organization_id, name, email, organization_role)
SELECT bench_id('MB', n), bench_id('OR', 1), 'Member ' || n, 'member' || n || '@bench.example', 'MEMBER'
FROM generate_series(1, 200) n;

-- name: team_member
INSERT INTO team_member (organization_id, team_id, member_id, role)
SELECT bench_id('OR', 1), bench_id('TM', 1 + (n * 7 + k * 11) % 50), bench_id('MB', n),
    (ARRAY['VIEWER', 'CONTRIBUTOR', 'ADMIN'])[1 + (n + k) % 3]
FROM generate_series(1, 200) n, generate_series(0, 4) k;

-- name: cluster
INSERT INTO cluster (id, organization_id, name, region, status)
SELECT bench_id('CL', n), bench_id('OR', 1), 'cluster-' || lpad(n::text, 2, '0'),
    (ARRAY['eu-west-1', 'us-east-1', 'ap-south-1'])[1 + n % 3], 'ACTIVE'
FROM generate_series(1, 20) n;

-- name: job
INSERT INTO job (id, organization_id, job_key, name, description, search_text, status, revision, current_number,
    current_cluster_id, is_scheduled, last_number, event_count, created_at, created_by_id, updated_at, updated_by_id)
SELECT bench_id('JB', n), bench_id('OR', 1), 'pipeline-' || lpad(n::text, 5, '0'), 'Pipeline ' || n, text,
    'pipeline-' || lpad(n::text, 5, '0') || E'\npipeline ' || n || E'\n' || lower(text),
    (ARRAY['ACTIVE', 'ACTIVE', 'ACTIVE', 'PAUSED'])[1 + n % 4], 5, 1 + n % 5,
    bench_id('CL', 1 + (n * 3 + 1 + n % 5) % 20), true, 5, 5,
    timestamptz '2025-01-01 00:00Z' + (n * 7919 % 10007) * interval '53 minutes', bench_id('MB', 1 + n % 200),
    timestamptz '2026-03-01 00:00Z' + n * interval '1 minute', bench_id('MB', 1 + (n + 7) % 200)
FROM generate_series(1, :jobs) n, LATERAL (SELECT 'Loads partition ' || n || ' and refreshes what is built on it') t(text);

-- name: job_team
INSERT INTO job_team (organization_id, job_id, team_id, granted_at, granted_by_id)
SELECT DISTINCT bench_id('OR', 1), bench_id('JB', n), bench_id('TM', 1 + (n + shift * sign(k)::int) % 50),
    timestamptz '2025-01-01 00:00Z', bench_id('MB', 1)
FROM generate_series(1, :jobs) n, generate_series(0, 2) k,
    LATERAL (SELECT 1 + (n / 50 * (6 * k - 5) + 13 * k) % 49) s(shift)
WHERE k <= n % 3;

-- name: job_run
INSERT INTO job_run (id, organization_id, job_id, version_number, status, trigger, created_at, started_at, finished_at)
SELECT bench_id('JR', n * 100 + r), bench_id('OR', 1), bench_id('JB', n), 1 + n % 5,
    (ARRAY['SUCCEEDED', 'SUCCEEDED', 'FAILED', 'CANCELLED'])[1 + (n + r) % 4],
    (ARRAY['SCHEDULE', 'MANUAL'])[1 + (n + r) % 2], at, at + interval '2 seconds', at + interval '90 seconds'
FROM generate_series(1, :jobs) n, generate_series(1, 10) r,
    LATERAL (SELECT timestamptz '2026-06-01 00:00Z' + r * interval '1 day' + n * 31 % 86400 * interval '1 second') t(at);

-- name: postgraphile
-- PostGraphile isn't measured on this database.
