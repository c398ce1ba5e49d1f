"""Connections, and the arguments that every list takes."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from mainsheet.resolvers.sql.pagination import listing
from mainsheet.resolvers.sql.pagination.listing import Paging
from mainsheet.schema.relation import relation

T = TypeVar("T")
NodeType = TypeVar("NodeType")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether items follow the page.")
    has_previous_page: bool = strawberry.field(description="Whether items come before the page.")
    start_cursor: str | None = strawberry.field(description="The first item's cursor. Null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The last item's cursor. Null on an empty page.")


@strawberry.type(description="An item in its place in a list.")
class Edge(Generic[NodeType]):
    node: NodeType = strawberry.field(description="The item.")
    cursor: str = strawberry.field(description="The item's place, for `after` and `before`.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[NodeType]):
    edges: list[Edge[NodeType]] = strawberry.field(description="The page's items with their cursors.")
    nodes: list[NodeType] = strawberry.field(description="The page's items.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in the list.")
    total_count: int = relation(
        listing.totals,
        int,
        "How many items the whole list has. Costs a query of its own, which counts each of them.",
        key="itself",
    )


def described(text: str) -> Any:
    return strawberry.argument(description=text)


def paged(arguments: Callable[..., T]) -> Callable[..., T]:
    """Give a function of a `Paging` the six arguments of a page, in front of its own."""

    def read(**values: Any) -> T:
        own = {name: values.pop(name, None) for name in PAGE_PARAMETERS}
        return arguments(listing.paging(**own), **values)

    own = list(inspect.signature(arguments).parameters.values())[1:]
    read.__signature__ = inspect.Signature([*PAGE_PARAMETERS.values(), *own])  # type: ignore[attr-defined]  # PEP 362
    return read


def _page(
    *,
    limit: Annotated[int | None, described("Page size, 0 to 100. Default: 100. Goes with `page`.")] = None,
    page: Annotated[
        int | None,
        described("Page number, from 1. Default: 1. Costs as much as all pages up to it; a page by cursor doesn't."),
    ] = None,
    first: Annotated[int | None, described("How many items from the start, or after `after`; 0 to 100.")] = None,
    after: Annotated[str | None, described("The cursor behind which the page begins.")] = None,
    last: Annotated[int | None, described("How many items from the end, or before `before`; 0 to 100.")] = None,
    before: Annotated[str | None, described("The cursor before which the page ends.")] = None,
) -> None:
    """The arguments' declaration; `pages.paging` reads them."""


PAGE_PARAMETERS = dict(inspect.signature(_page).parameters)


@paged
def page_only(paging: Paging) -> Paging:
    return paging
