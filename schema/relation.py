"""How a field gets its answer from a batch: one line for each relation.

A batch is a function from many parents' keys to many answers (`resolvers/`). `relation` attaches it to a field;
under graphql-core the field loads its parent's key through a dataloader. The field's `metadata` names the relation,
so that another executor can ask it with a whole level of parents at once.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import strawberry
from strawberry import UNSET
from strawberry.types import Info

from mainsheet.executor import Place
from mainsheet.resolvers.sql.snapshot import options_of
from mainsheet.resolvers.sql.statement import Columns
from mainsheet.schema.context import Batch, Context

Arguments = Callable[..., Any]
NO_WEIGHT: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Relation:
    """`arguments` turns the field's arguments into what the batch takes, or into the key where parents have none."""

    batch: Batch
    key: str | None
    arguments: Arguments | None = None
    join: str | None = None

    @property
    def joins(self) -> frozenset[str]:
        return options_of(self.batch).joins

    @property
    def is_one_statement(self) -> bool:
        return options_of(self.batch).is_one_statement

    def question(self, **arguments: Any) -> Any:
        return None if self.arguments is None else self.arguments(**arguments)

    def answers(
        self,
        context: Context,
        keys: Sequence[Any],
        *question: Any,
        attributes: Columns = None,
        alone: bool = False,
        place: Place | None = None,
    ) -> Awaitable[Mapping[Any, Any]]:
        return context.load_all(self.batch, keys, *question, columns=attributes, alone=alone, place=place)


def relation(
    batch: Batch,
    graphql_type: Any,
    description: str,
    *,
    key: str = "id",
    arguments: Arguments | None = None,
    join: str | None = None,
    weight: Mapping[str, Any] = NO_WEIGHT,
) -> Any:
    """Declare a field that a batch answers, for the key that the parent row holds as `key`.

    The parent's row may hold the answer itself, as `join`, if the parent's batch can join it. `weight` is metadata
    from `mainsheet.schema.weight`.
    """
    link = Relation(batch, key, arguments, join)
    key_of = attrgetter(key)

    def resolve(root: Any, info: Info[Context, Any], **values: Any) -> Any:
        parent = key_of(root)
        if parent is None:
            return None
        question = () if arguments is None else (link.question(**values),)
        return info.context.load(batch, parent, *question, path=info.path)

    return _field(resolve, link, graphql_type, description, weight)


def lookup(batch: Batch, graphql_type: Any, description: str, argument: Arguments) -> Any:
    """Declare a field that a batch answers, for the key that its one argument gives."""
    link = Relation(batch, None, argument)

    def resolve(root: Any, info: Info[Context, Any], **values: Any) -> Any:  # noqa: ARG001 the resolver's protocol
        return info.context.load(batch, link.question(**values), path=info.path)

    return _field(resolve, link, graphql_type, description)


def _field(
    resolve: Callable[..., Any],
    link: Relation,
    graphql_type: Any,
    description: str,
    weight: Mapping[str, Any] = NO_WEIGHT,
) -> Any:
    """Show the parameters of `link.arguments` as the resolver's own: Strawberry makes the field's arguments of them.

    One whose default is None has none in the schema: to omit it and to send null is the same.
    """
    own = list(inspect.signature(resolve).parameters.values())[:2]
    more = [] if link.arguments is None else inspect.signature(link.arguments).parameters.values()
    parameters = [*own, *map(_shown, more)]
    resolve.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # PEP 362's override
    metadata = {"relation": link, **weight}
    return strawberry.field(resolver=resolve, graphql_type=graphql_type, description=description, metadata=metadata)


def _shown(parameter: inspect.Parameter) -> inspect.Parameter:
    default = UNSET if parameter.default is None else parameter.default
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, default=default)


def reads(*attributes: str) -> dict[str, Any]:
    """The metadata of a field whose resolver reads no more than these attributes of the parent row.

    If it gives back the row itself, what tells the row's type counts too.
    """
    return {"reads": attributes}
