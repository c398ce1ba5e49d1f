"""What compiled code leaves to graphql-core."""

from inspect import CORO_CREATED, getcoroutinestate, iscoroutine


class Unsupported(Exception):
    """Compiled code doesn't support this, or a value of this kind, but graphql-core does."""

    def __init__(self, reason: str, value: object = None) -> None:
        super().__init__(reason)
        self.value = value


def value_of(failure: Exception | None) -> object:
    """Return the value that ended compiled code because of its kind, if one did."""
    return failure.value if isinstance(failure, Unsupported) else None


def close_unawaited(*values: object) -> None:
    """Close coroutines that were never started: Python would warn of them.

    graphql-core calls plain resolvers again, and awaits what they return then.
    """
    for each in values:
        if iscoroutine(each) and getcoroutinestate(each) == CORO_CREATED:
            each.close()
