"""Paths of the server that more than one module names."""

GRAPHQL_PATH = "/graphql"
