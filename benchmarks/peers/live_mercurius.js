"use strict";
// Mercurius with subscriptions: its own publisher, with a topic for each member, and its loaders for each event.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const fastify = require("fastify");
const mercurius = require("mercurius");
const database = require("./database");
const { DateTime, schedule } = require("./scalars");

// Loaders live as long as the subscription here, so what they remember would grow old.
const fresh = (loader) => ({ loader, opts: { cache: false } });
const parents = (queries) => queries.map(({ obj }) => obj);
const app = fastify({ logger: false });

app.register(mercurius, {
  schema: readFileSync(join(__dirname, "schema.graphql"), "utf8"),
  jit: 1,
  subscription: { context: (_, request) => ({ caller: request.headers["x-member-id"] }) },
  resolvers: {
    DateTime,
    Subscription: {
      jobs: {
        subscribe: (_, __, { caller, pubsub }) => pubsub.subscribe(caller),
        resolve: (jobId) => ({ jobId }),
      },
    },
    JobVersion: { schedule },
  },
  loaders: {
    JobChange: { job: fresh((queries) => database.jobs(parents(queries).map(({ jobId }) => jobId))) },
    Job: {
      teams: fresh((queries) => database.teamsOfJobs(parents(queries))),
      currentVersion: fresh((queries) => database.currentVersions(parents(queries))),
      latestRun: fresh((queries) => database.latestRuns(parents(queries))),
    },
    JobVersion: {
      cluster: fresh((queries) => database.clusters(parents(queries).map((version) => version.cluster_id))),
    },
  },
});

app.listen({ host: "127.0.0.1", port: 0 }).then(async (address) => {
  await database.listen((topic, payload) => app.graphql.pubsub.publish({ topic, payload }));
  console.log(`Serving ${address}/graphql`);
});
