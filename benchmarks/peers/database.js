"use strict";
// The statements of statements.sql as batches: many parents in, as many answers out, in their order.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { Client, Pool } = require("pg");

const pool = new Pool({ connectionString: process.env.BENCH_DATABASE_URL, max: 10, idleTimeoutMillis: 0 });
const file = readFileSync(join(__dirname, "statements.sql"), "utf8");
const sql = Object.fromEntries(
  file.split(/^-- name: /m).slice(1).map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n"))]),
);

// A statement with a name is prepared once on each connection.
const rows = async (name, ...values) => (await pool.query({ name, text: sql[name], values })).rows;

async function one(parents, name, ...values) {
  const found = new Map((await rows(name, ...values)).map((row) => [row.parent ?? row.id, row]));
  return parents.map((parent) => found.get(parent) ?? null);
}

async function many(parents, name, ...values) {
  const found = new Map(parents.map((parent) => [parent, []]));
  for (const row of await rows(name, ...values)) found.get(row.parent).push(row);
  return parents.map((parent) => ({ nodes: found.get(parent) }));
}

const ids = (jobs) => jobs.map((job) => job.id);

module.exports = {
  job: async (caller, key) => (await rows("job", caller, key))[0] ?? null,
  member: async (caller) => (await rows("member", caller))[0],
  visible: (member, limit) => rows("visible", member.organization_id, member.id, limit),
  total: async (member) => (await rows("total", member.organization_id, member.id))[0].total,
  teams: async (caller, limit) => ({ nodes: await rows("teams", caller, limit) }),
  teamsOfJobs: (jobs) => many(ids(jobs), "teamsOfJobs", ids(jobs)),
  currentVersions: (jobs) => one(ids(jobs), "currentVersions", ids(jobs), jobs.map((job) => job.current_number)),
  latestRuns: (jobs) => one(ids(jobs), "latestRuns", ids(jobs)),
  versionsOfJobs: (jobs, limit) => many([...new Set(ids(jobs))], "versionsOfJobs", [...new Set(ids(jobs))], limit)
    .then((pages) => spread(jobs, pages)),
  jobsOfTeams: (teams, caller, limit) => many(ids(teams), "jobsOfTeams", ids(teams), caller, limit),
  jobs: (jobIds) => one(jobIds, "jobsByIds", [...new Set(jobIds)]),
  listen,
  clusters: (clusterIds) => one(clusterIds, "clusters", [...new Set(clusterIds)]),
};

// Calls `publish` with each member who sees a job and the job, when the benchmark says that it has changed.
async function listen(publish) {
  const listener = new Client({ connectionString: process.env.BENCH_DATABASE_URL });
  await listener.connect();
  listener.on("notification", async ({ payload }) => {
    for (const { actor_id } of await rows("viewers", payload)) publish(actor_id, payload);
  });
  await listener.query("LISTEN bench_jobs");
}

// One job may be listed under several teams.
function spread(jobs, pages) {
  const page = new Map([...new Set(ids(jobs))].map((id, index) => [id, pages[index]]));
  return jobs.map((job) => page.get(job.id));
}
