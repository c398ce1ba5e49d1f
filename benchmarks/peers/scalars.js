"use strict";
const { GraphQLScalarType } = require("graphql");

exports.DateTime = new GraphQLScalarType({ name: "DateTime", serialize: (moment) => moment.toISOString() });
exports.schedule = ({ cron, timezone }) => (cron === null ? null : { cron, timezone });
