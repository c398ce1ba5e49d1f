"use strict";
// GraphQL Yoga over graphql-ws, as its documentation joins them: its publisher, and DataLoaders made for each event.
const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { join } = require("node:path");
const DataLoader = require("dataloader");
const { createPubSub, createSchema, createYoga } = require("graphql-yoga");
const { useServer } = require("graphql-ws/use/ws");
const { WebSocketServer } = require("ws");
const database = require("./database");
const { DateTime, schedule } = require("./scalars");

const byId = { cacheKeyFn: (row) => row.id };
const loaders = () => ({
  job: new DataLoader(database.jobs),
  teams: new DataLoader(database.teamsOfJobs, byId),
  currentVersion: new DataLoader(database.currentVersions, byId),
  latestRun: new DataLoader(database.latestRuns, byId),
  cluster: new DataLoader(database.clusters),
});

const pubsub = createPubSub();
const resolvers = {
  DateTime,
  Subscription: {
    jobs: {
      subscribe: (_, __, { caller }) => pubsub.subscribe(caller),
      resolve: (jobId, _, context) => {
        context.loaders = loaders();
        return { jobId };
      },
    },
  },
  JobChange: { job: ({ jobId }, _, { loaders }) => loaders.job.load(jobId) },
  Job: {
    teams: (job, _, { loaders }) => loaders.teams.load(job),
    currentVersion: (job, _, { loaders }) => loaders.currentVersion.load(job),
    latestRun: (job, _, { loaders }) => loaders.latestRun.load(job),
  },
  JobVersion: { schedule, cluster: (version, _, { loaders }) => loaders.cluster.load(version.cluster_id) },
};

const typeDefs = readFileSync(join(__dirname, "schema.graphql"), "utf8");
const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), logging: "error", graphiql: false });
const server = createServer(yoga);
const sockets = new WebSocketServer({ server, path: yoga.graphqlEndpoint });

useServer({
  execute: (args) => args.rootValue.execute(args),
  subscribe: (args) => args.rootValue.subscribe(args),
  onSubscribe: async ({ extra }, _, { query, variables, operationName }) => {
    const caller = extra.request.headers["x-member-id"];
    const { schema, execute, subscribe, parse, validate } = yoga.getEnveloped({ caller });
    const document = parse(query);
    const errors = validate(schema, document);
    const rootValue = { execute, subscribe };
    const args = { schema, operationName, document, variableValues: variables, contextValue: { caller }, rootValue };
    return errors.length ? errors : args;
  },
}, sockets);

server.listen(0, "127.0.0.1", async () => {
  await database.listen((topic, payload) => pubsub.publish(topic, payload));
  console.log(`Serving http://127.0.0.1:${server.address().port}${yoga.graphqlEndpoint}`);
});
