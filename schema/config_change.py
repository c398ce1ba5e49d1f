"""The differences between configurations, with typed values."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry
from graphql import GraphQLResolveInfo
from strawberry.utils.str_converters import to_camel_case

from mainsheet.models import limits
from mainsheet.models.config_diff import ChangeKind
from mainsheet.resolvers import node
from mainsheet.schema.node import Node
from mainsheet.schema.relation import reads, relation
from mainsheet.schema.weight import weight

TEXT = weight(characters=limits.SQL.maximum)
CHANGES = weight(items=3 * limits.ENTRIES.maximum)  # a configuration has three long lists, and few other values

CALLERS_NAMES = {"members", "environment", "dependencies"}


class _Value:
    @classmethod
    def is_type_of(cls, value: Any, _info: GraphQLResolveInfo[Any]) -> bool:
        return type(value).__name__ == cls.__name__


@strawberry.type(description="A text, or the name of an enum's value or a boolean, such as `SKIP` or `true`.")
class TextValue(_Value):
    text: str = strawberry.field(description="The text.", metadata=TEXT)


@strawberry.type(description="A number.")
class NumberValue(_Value):
    number: int = strawberry.field(description="The number.")


@strawberry.type(description="An object that the value refers to, such as a cluster.")
class NodeValue(_Value):
    node = relation(node.by_ids, Node | None, "The object. Null if it was deleted.", key="node_id")
    key: str = strawberry.field(
        description=(
            "The key of a job, also after its deletion. For another object its name or, if it was deleted, its id."
        )
    )


@strawberry.type(description="A reference to a secret.")
class SecretValue(_Value):
    reference: str = strawberry.field(
        description="The path of the secret in the organization's secret store.",
        metadata=weight(characters=limits.LOCATION.maximum),
    )


@strawberry.type(description="A job that you can't see, or couldn't see when it was deleted. Nothing is shown of it.")
class HiddenValue(_Value):
    is_hidden: bool = strawberry.field(description="Always true.")


ConfigValue = Annotated[
    TextValue | NumberValue | NodeValue | SecretValue | HiddenValue,
    strawberry.union("ConfigValue", description="A value before or after a change."),
]


@strawberry.type(description="The change of one value. Lists are compared item by item.")
class ConfigChange:
    label: str = strawberry.field(
        description="The name of the value, for people, such as `Cron expression` or `Environment variable LOG_LEVEL`."
    )
    kind: ChangeKind = strawberry.field(description="How the value changed.")
    before: ConfigValue | None = strawberry.field(description="The old value. Null if the value was added.")
    after: ConfigValue | None = strawberry.field(description="The new value. Null if the value was removed.")

    @strawberry.field(
        description=(
            "The path of the value by the names of the input's fields, such as `schedule`, `cron`. An"
            " environment variable has the path `environment`, NAME; a dependency `dependencies`, KEY, and"
            " its condition `dependencies`, KEY, `condition`; a role in a team `members`, ID of the actor."
            " Items of other lists are given by index. KEY is the key of the other job. If you can't see that"
            " job, it is the `id` of the `JobDependency`, or `hidden` in events before release 0.2.0."
        ),
        metadata=reads("path") | weight(items=4),
    )
    def path(root: strawberry.Parent[Any]) -> list[str]:  # noqa: N805 the row is the parent
        return list(in_graphql(root.path))


def in_graphql(path: Sequence[str]) -> Sequence[str]:
    """Convert our names to camel case. Leave names that callers chose as they are."""
    return path if path[0] in CALLERS_NAMES else [to_camel_case(name) for name in path]
