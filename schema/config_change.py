from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from mainsheet.models import limits
from mainsheet.models.config_diff import ChangeKind
from mainsheet.schema.weight import weight

TEXT = weight(characters=limits.SQL.maximum)
CHANGES = weight(items=2 * limits.ENTRIES.maximum)  # a configuration has two long lists, and few other values

NAMES_OF_PEOPLE = {"environment", "dependencies"}


@strawberry.type(description="A value that differs.")
class ConfigChange:
    kind: ChangeKind = strawberry.field(description="How it differs.")
    before: str | None = strawberry.field(
        description="The value before; a list as JSON. Null if there was none.", metadata=TEXT
    )
    after: str | None = strawberry.field(
        description="The value after; a list as JSON. Null if there is none.", metadata=TEXT
    )

    @strawberry.field(
        description="Where the value stands, as in the input: `schedule.cron`, `environment.NAME`, `dependencies.KEY`"
        " (the other job's key, or `hidden` if you can't see that job)."
    )
    def path(root: strawberry.Parent[Any]) -> str:  # noqa: N805 the row is the parent
        return ".".join(_in_graphql(root.path))


def _in_graphql(path: Sequence[str]) -> Sequence[str]:
    """Put our names in camel case, and leave alone those that callers gave."""
    return path if path[0] in NAMES_OF_PEOPLE else [to_camel_case(name) for name in path]
