class Unsupported(Exception):
    """Compiled code doesn't support this, but graphql-core does."""
