"use strict";
// Mercurius with its JIT from the first repetition on, and its own loaders.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const fastify = require("fastify");
const mercurius = require("mercurius");
const database = require("./database");
const { DateTime, schedule } = require("./scalars");

const parents = (queries) => queries.map(({ obj }) => obj);
const app = fastify({ logger: false });

app.register(mercurius, {
  schema: readFileSync(join(__dirname, "schema.graphql"), "utf8"),
  jit: 1,
  context: (request) => ({ caller: request.headers["x-member-id"] }),
  resolvers: {
    DateTime,
    Query: {
      me: async (_, __, { caller }) => ({ actor: await database.member(caller) }),
      jobByKey: (_, { jobKey }, { caller }) => database.job(caller, jobKey),
      teams: (_, { limit }, { caller }) => database.teams(caller, limit),
    },
    Viewer: {
      jobs: async ({ actor }, { limit }) => ({ actor, nodes: await database.visible(actor, limit) }),
    },
    JobConnection: { totalCount: ({ actor }) => database.total(actor) },
    JobVersion: { schedule },
  },
  loaders: {
    Job: {
      teams: (queries) => database.teamsOfJobs(parents(queries)),
      currentVersion: (queries) => database.currentVersions(parents(queries)),
      latestRun: (queries) => database.latestRuns(parents(queries)),
      versions: (queries) => database.versionsOfJobs(parents(queries), queries[0].params.limit),
    },
    Team: {
      jobs: (queries, { caller }) => database.jobsOfTeams(parents(queries), caller, queries[0].params.limit),
    },
    JobVersion: { cluster: (queries) => database.clusters(parents(queries).map((version) => version.cluster_id)) },
  },
});

app.listen({ host: "127.0.0.1", port: 0 }).then((address) => console.log(`Serving ${address}/graphql`));
