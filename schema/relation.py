"""How a field gets its answer from a batch: one line for each relation.

A batch is a function from many parents' keys to many answers (`resolvers/`). `relation` attaches it to a field;
under graphql-core the field loads its parent's key through a dataloader. The field's `metadata` names the batch,
so that another executor can call it directly with a whole level of parents.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import strawberry
from strawberry.types import Info

from schema.context import Batch, Context

Arguments = Callable[..., Any]


@dataclass(frozen=True)
class Relation:
    """`key` reads a parent's key, `arguments` turns the field's arguments into what the batch takes."""

    batch: Batch
    key: Callable[[Any], Any]
    arguments: Arguments | None = None

    def load(self, root: Any, info: Info[Context, Any], values: dict[str, Any]) -> Any:
        key = self.key(root)
        if key is None:
            return None
        given = () if self.arguments is None else (self.arguments(**values),)
        return info.context.load(self.batch, key, *given)


def relation(
    batch: Batch,
    graphql_type: Any,
    description: str,
    *,
    key: str = "id",
    arguments: Arguments | None = None,
) -> Any:
    """Declare a field that a batch answers, for the key that the parent row holds as `key`."""
    link = Relation(batch, attrgetter(key), arguments)

    def resolve(root: Any, info: Info[Context, Any], **values: Any) -> Any:
        return link.load(root, info, values)

    _take_arguments(resolve, arguments)
    return strawberry.field(
        resolver=resolve, graphql_type=graphql_type, description=description, metadata={"relation": link}
    )


def lookup(batch: Batch, graphql_type: Any, description: str, argument: Arguments) -> Any:
    """Declare a field that a batch answers, for the key that its one argument gives."""

    def resolve(root: Any, info: Info[Context, Any], **values: Any) -> Any:  # noqa: ARG001 the resolver's protocol
        return info.context.load(batch, argument(**values))

    _take_arguments(resolve, argument)
    return strawberry.field(resolver=resolve, graphql_type=graphql_type, description=description)


def _take_arguments(resolve: Callable[..., Any], arguments: Arguments | None) -> None:
    """Show the parameters of `arguments` as the resolver's own: Strawberry makes the field's arguments of them."""
    own = list(inspect.signature(resolve).parameters.values())[:2]
    more = [] if arguments is None else inspect.signature(arguments).parameters.values()
    parameters = [*own, *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in more)]
    resolve.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # PEP 362's override
