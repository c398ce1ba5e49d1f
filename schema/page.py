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


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether the list has items after the page.")
    has_previous_page: bool = strawberry.field(description="Whether the list has items before the page.")
    start_cursor: str | None = strawberry.field(
        description=("The cursor of the first item. Null if the page is empty.")
    )
    end_cursor: str | None = strawberry.field(description=("The cursor of the last item. Null if the page is empty."))


@strawberry.type(description="An item of a list with its cursor.")
class Edge(Generic[NodeType]):
    node: NodeType = strawberry.field(description="The item.")
    cursor: str = strawberry.field(description="The position of the item, for the arguments `after` and `before`.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[NodeType]):
    edges: list[Edge[NodeType]] = strawberry.field(description="The items of the page with their cursors.")
    nodes: list[NodeType] = strawberry.field(description="The items of the page.")
    page_info: PageInfo = strawberry.field(description="The position of the page in the list.")
    total_count: int = relation(
        listing.totals,
        int,
        (
            "The number of items in the whole list. Selecting it runs one more database query, whose cost grows "
            "with the list."
        ),
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
    limit: Annotated[
        int | None, described("The size of a numbered page, 0 to 100. Defaults to 100. Use it with `page`.")
    ] = None,
    page: Annotated[
        int | None,
        described(
            "The number of the page, from 1. Defaults to 1. The cost grows with the number; a page by cursor "
            "always costs the same."
        ),
    ] = None,
    first: Annotated[
        int | None,
        described("The number of items to return from the start of the list, or from after `after`: 0 to 100."),
    ] = None,
    after: Annotated[str | None, described("Return the items after this cursor.")] = None,
    last: Annotated[
        int | None,
        described("The number of items to return from the end of the list, or from before `before`: 0 to 100."),
    ] = None,
    before: Annotated[str | None, described("Return the items before this cursor.")] = None,
) -> None:
    """The arguments' declaration; `pages.paging` reads them."""


PAGE_PARAMETERS = dict(inspect.signature(_page).parameters)


@paged
def page_only(paging: Paging) -> Paging:
    return paging
