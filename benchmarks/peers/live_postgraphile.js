"use strict";
// PostGraphile with subscriptions: a plan that listens to the member's topic and reads the job from Mainsheet's tables.
const { createServer } = require("node:http");
const { createPubSub } = require("graphql-yoga");
const { postgraphile } = require("postgraphile");
const { makePgService } = require("postgraphile/adaptors/pg");
const { context, listen } = require("postgraphile/grafast");
const { grafserv } = require("postgraphile/grafserv/node");
const { PostGraphileAmberPreset } = require("postgraphile/presets/amber");
const { extendSchema, gql } = require("postgraphile/utils");
const database = require("./database");

const connectionString = process.env.BENCH_DATABASE_URL;
const pubsub = createPubSub();

const liveJobs = extendSchema(({ pgResources }) => ({
  typeDefs: gql`
    extend type Subscription { jobs: JobChange }
    type JobChange { jobId: String! job: Job }
  `,
  objects: {
    Subscription: { plans: { jobs: { subscribePlan: () => listen(pubsub, context().get("caller")), plan: ($job) => $job } } },
    JobChange: { plans: { jobId: ($job) => $job, job: ($job) => pgResources.job.get({ id: $job }) } },
  },
}));

const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  plugins: [liveJobs],
  pgServices: [makePgService({ connectionString, schemas: ["public"], poolConfig: { max: 10, idleTimeoutMillis: 0 } })],
  grafserv: { watch: false, graphqlPath: "/graphql", graphiql: false, websockets: true },
  grafast: {
    explain: false,
    context: ({ ws, node }) => ({ caller: (ws?.request ?? node?.req)?.headers["x-member-id"] }),
  },
});

async function main() {
  const server = createServer();
  await instance.createServ(grafserv).addTo(server);
  await database.listen((topic, payload) => pubsub.publish(topic, payload));
  server.listen(0, "127.0.0.1", () => console.log(`Serving http://127.0.0.1:${server.address().port}/graphql`));
}

main();
