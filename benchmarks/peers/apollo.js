"use strict";
// Apollo Server as its documentation begins, with DataLoaders made for each request.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { ApolloServer } = require("@apollo/server");
const { startStandaloneServer } = require("@apollo/server/standalone");
const DataLoader = require("dataloader");
const database = require("./database");
const { DateTime, schedule } = require("./scalars");

const byId = { cacheKeyFn: (row) => row.id };
const byIdAndLimit = { cacheKeyFn: ([row, limit]) => `${row.id} ${limit}` };
const pages = (batch) => new DataLoader((keys) => batch(keys.map(([row]) => row), keys[0][1]), byIdAndLimit);

const context = async ({ req }) => {
  const caller = req.headers["x-member-id"];
  return {
    caller,
    teams: new DataLoader(database.teamsOfJobs, byId),
    currentVersion: new DataLoader(database.currentVersions, byId),
    latestRun: new DataLoader(database.latestRuns, byId),
    cluster: new DataLoader(database.clusters),
    versions: pages(database.versionsOfJobs),
    jobs: pages((teams, limit) => database.jobsOfTeams(teams, caller, limit)),
  };
};

const resolvers = {
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
  Job: {
    teams: (job, _, { teams }) => teams.load(job),
    currentVersion: (job, _, { currentVersion }) => currentVersion.load(job),
    latestRun: (job, _, { latestRun }) => latestRun.load(job),
    versions: (job, { limit }, { versions }) => versions.load([job, limit]),
  },
  Team: { jobs: (team, { limit }, { jobs }) => jobs.load([team, limit]) },
  JobVersion: { schedule, cluster: (version, _, { cluster }) => cluster.load(version.cluster_id) },
};

const typeDefs = readFileSync(join(__dirname, "schema.graphql"), "utf8");
startStandaloneServer(new ApolloServer({ typeDefs, resolvers }), { context, listen: { host: "127.0.0.1", port: 0 } })
  .then(({ url }) => console.log(`Serving ${url}`));
