from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from mainsheet.models import limits
from mainsheet.models.config_diff import ChangeKind
from mainsheet.schema.weight import weight

TEXT = weight(characters=limits.SQL.maximum)
CHANGES = weight(items=2 * limits.ENTRIES.maximum)  # a configuration has two long lists, and few other values

CALLERS_NAMES = {"members", "environment", "dependencies"}


@strawberry.type(description="A difference between two configurations.")
class ConfigChange:
    kind: ChangeKind = strawberry.field(description="How the value changed.")
    before: str | None = strawberry.field(
        description="The old value; a list is JSON. Null if the value was added.", metadata=TEXT
    )
    after: str | None = strawberry.field(
        description="The new value; a list is JSON. Null if the value was removed.", metadata=TEXT
    )

    @strawberry.field(
        description=(
            "The path of the value, as in the input: `schedule.cron`, `environment.NAME`, `dependencies.KEY`. KEY"
            " is the key of the other job, or `hidden` if you can't see that job, or had no access to it when it was"
            " deleted."
        )
    )
    def path(root: strawberry.Parent[Any]) -> str:  # noqa: N805 the row is the parent
        return ".".join(_in_graphql(root.path))


def _in_graphql(path: Sequence[str]) -> Sequence[str]:
    """Convert our names to camel case. Leave names that callers chose as they are."""
    return path if path[0] in CALLERS_NAMES else [to_camel_case(name) for name in path]
