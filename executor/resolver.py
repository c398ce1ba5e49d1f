"""Fields whose resolvers get `info`, or may return an awaitable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, GraphQLField, GraphQLObjectType
from graphql.pyutils import Path
from strawberry.types.field import StrawberryField

from mainsheet.executor.arguments import Arguments

if TYPE_CHECKING:
    from mainsheet.executor.run import Run

Info = Callable[[], Any]
Resolve = Callable[[Any, Info, dict[str, Any]], Any]


@dataclass(frozen=True, eq=False)
class Resolver:
    """A resolver of one field. `resolve` gets the parent, a function that builds graphql-core's `info`, and arguments.

    `is_async`: it always returns an awaitable.
    """

    resolve: Resolve
    arguments: Arguments | None
    definition: GraphQLField
    parent_type: GraphQLObjectType
    nodes: Sequence[FieldNode]
    is_async: bool = False

    def __call__(self, run: "Run", parent: Any, path: Path) -> Any:
        """Return the result, and remember it or the exception."""
        given = self.arguments(run.variables) if self.arguments else {}
        try:
            result = self.resolve(parent, lambda: self._info(run, path), given)
        except Exception as error:
            run.keep(path, parent, error)  # graphql-core raises exceptions that are returned
            raise
        return run.keep(path, parent, result)

    def _info(self, run: "Run", path: Path) -> Any:
        return run.core.build_resolve_info(self.definition, [*self.nodes], self.parent_type, path)


def of_core(resolve: Callable[..., Any]) -> Resolve:
    """Call graphql-core's resolver, in which Strawberry runs permissions, field extensions and exception handlers."""
    return lambda parent, info, given: resolve(parent, info(), **given)


def of_strawberry(declared: StrawberryField, info_class: Callable[..., Any]) -> Resolve:
    """Call the function itself: the field has nothing that Strawberry would do around it."""
    resolver = declared.base_resolver
    assert resolver  # noqa: S101 for the type checker
    function: Any = resolver.wrapped_func
    takes_self = resolver.self_parameter is not None
    names = {each.name for each in (resolver.parent_parameter, resolver.root_parameter) if each}
    info_name = resolver.info_parameter and resolver.info_parameter.name

    def resolve(parent: Any, info: Info, given: dict[str, Any]) -> Any:
        for name in names:
            given[name] = parent
        if info_name:
            given[info_name] = info_class(_raw_info=info(), _field=declared)
        return function(parent, **given) if takes_self else function(**given)

    return resolve
