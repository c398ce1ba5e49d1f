"use strict";
// PostGraphile with its Amber preset: the schema is made from Mainsheet's tables and the functions of data.sql.
const { createServer } = require("node:http");
const { postgraphile } = require("postgraphile");
const { makePgService } = require("postgraphile/adaptors/pg");
const { grafserv } = require("postgraphile/grafserv/node");
const { PostGraphileAmberPreset } = require("postgraphile/presets/amber");

const connectionString = process.env.BENCH_DATABASE_URL;
const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString, schemas: ["public"], poolConfig: { max: 10, idleTimeoutMillis: 0 } })],
  grafserv: { watch: false, graphqlPath: "/graphql", graphiql: false },
  grafast: { explain: false },
});

async function main() {
  const server = createServer();
  await instance.createServ(grafserv).addTo(server);
  server.listen(0, "127.0.0.1", () => console.log(`Serving http://127.0.0.1:${server.address().port}/graphql`));
}

main();
