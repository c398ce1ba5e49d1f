"""Relations: fields that a batch answers, declared in one line each.

A batch is a function from the keys of many parents to their answers (`resolvers/`). `relation` attaches it to a field.
Under graphql-core, the field loads its parent's key through a dataloader. The field's `metadata` holds the relation, so
that the compiled executor can call the batch for all parents of a level at once.
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
    """`arguments` converts the field's arguments to the batch's, or to the key if `key` is None."""

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
    """Declare a field that a batch answers. The key is the parent row's attribute `key`.

    If the parent's batch can join the answer, the parent's row holds it as the attribute `join`. `weight` is metadata
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
    """Declare a field that a batch answers. The key is the field's argument."""
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
    """Give the resolver the parameters of `link.arguments`, from which Strawberry makes the field's arguments.

    A parameter whose default is None has no default in the schema: omitting it is the same as sending null.
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
    """Return the metadata of a field whose resolver reads only these attributes of the parent row.

    If the resolver returns the row itself, they include the attributes that determine the row's type.
    """
    return {"reads": attributes}
