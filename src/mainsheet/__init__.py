"""The GraphQL API for versioned data jobs."""
